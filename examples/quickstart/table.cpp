#include "table.hpp"

#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>

#include "report_parts.hpp"

namespace quickstart {
namespace {

constexpr int name_width = 26;
constexpr int number_width = 14;

std::string cell(measured const& value, double scale, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << scale * value.mean;
  if (value.deviation > 0) text << " ± " << scale * value.deviation;
  return text.str();
}

/// Right-aligned; setw counts the two bytes of ± as two columns.
std::string right(std::string const& text) {
  std::size_t const columns = text.size() - (text.find("±") != text.npos ? 1 : 0);
  constexpr std::size_t width = number_width;
  return std::string(columns < width ? width - columns : 1, ' ') + text;
}

void print_row(std::ostream& out, model_result const& model) {
  out << std::left << std::setw(name_width) << ("  " + model.name)
      << right(parts::with_commas(model.parameters)) << right(cell(model.accuracy, 100, 2))
      << right(cell(model.agreement, 100, 2)) << right(cell(model.seconds, 1, 2)) << "\n";
}

}  // namespace

void print_table(std::ostream& out, report_data const& data) {
  out << "\n"
      << std::string(name_width, ' ') << right("parameters") << right("accuracy %") << right("agreement %")
      << right("seconds") << "\n";
  print_row(out, data.teacher);
  for (experiment const& each : data.experiments) {
    out << each.title << "\n";
    for (model_result const& student : each.students) print_row(out, student);
  }
  out << "\nMean over " << data.seeds
      << " seeds ± standard deviation; agreement: how often a network answers as the teacher does.\n\n";
  for (std::string const& sentence : data.conclusions) out << sentence << "\n";
}

}  // namespace quickstart
