#include <sstream>

#include "summary/summary.hpp"
#include "summary/targets.hpp"

namespace bench {

namespace {

std::string quoted(std::string const& text) {
  std::string result = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string number(std::optional<double> value) {
  std::ostringstream text;
  text.precision(6);
  if (value) {
    text << *value;
  } else {
    text << "null";
  }
  return text.str();
}

}  // namespace

std::string json_summary(machine const& where, results const& measured) {
  std::ostringstream out;
  out << "{\n  \"machine\": {\"processor\": " << quoted(where.processor)
      << ", \"processors\": " << where.processors << ", \"caches\": " << quoted(where.caches)
      << ", \"compiler\": " << quoted(where.compiler) << ", \"instructions\": " << quoted(where.instructions)
      << ", \"load\": " << number(where.load) << "},\n  \"nanoseconds_per_element\": {";
  char const* separator = "\n";
  for (entry const& each : benches()) {
    subject const& what = each.what;
    auto const time = measured.nanoseconds(what);
    if (!time) continue;
    out << separator << "    " << quoted(what.name()) << ": " << number(time);
    separator = ",\n";
  }
  out << "\n  },\n  \"targets\": [";
  separator = "\n";
  for (target const& one : targets()) {
    out << separator << "    {\"figure\": " << quoted(one.figure) << ", "
        << (one.direction == target::sense::at_least ? "\"at_least\": " : "\"at_most\": ")
        << number(one.bound) << ", \"measured\": {";
    char const* comma = "";
    for (comparison const& each : one.cases) {
      out << comma << quoted(each.where) << ": " << number(one.measured(each, measured));
      comma = ", ";
    }
    out << "}}";
    separator = ",\n";
  }
  out << "\n  ]\n}\n";
  return out.str();
}

}  // namespace bench
