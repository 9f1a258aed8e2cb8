#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

namespace quickstart {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

[[noreturn]] void refuse(std::string_view name, std::string const& was, std::string const& must_be) {
  throw usage_error(std::string(name) + " is \"" + was + "\"; it must be " + must_be);
}

template <class Integer>
Integer whole_number(std::string_view name, std::string const& text, Integer least, Integer most) {
  std::optional<Integer> const number = number_of<Integer>(text);
  if (!number || *number < least || *number > most) {
    refuse(name, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

/// One option: its name, what its value is called (empty: it takes none), what it does.
struct option {
  std::string_view name;
  std::string_view value;
  std::string_view help;
  std::function<void(options&, std::string const& value)> set;
};

std::vector<option> const& known_options() {
  constexpr int many = 1000;
  constexpr auto any_seed = std::numeric_limits<std::uint64_t>::max();
  static std::vector<option> const known{
      {"--data", "DIR", "folder of Fashion-MNIST's IDX files; where there is none: embedded digits",
       [](options& to, auto const& value) { to.data = value; }},
      {"--report", "FILE", "where the HTML report goes (distil-quickstart.html)",
       [](options& to, auto const& value) { to.report = value; }},
      {"--temperature", "T", "one temperature for the whole run, a number",
       [](options& to, auto const& value) {
         if (!number_of<double>(value)) refuse("--temperature", value, "a number");
         to.temperature = value;
       }},
      {"--schedule", "S", "temperature over the run: linear:6:1, three_stage:1:4:1.5 ... (cosine:4:1)",
       [](options& to, auto const& value) { to.temperature = value; }},
      {"--soft-weight", "W", "teacher against labels, 0 to 1: a number or a schedule, cosine:0.8:0.4 (0.9)",
       [](options& to, auto const& value) { to.soft_weight = value; }},
      {"--epochs", "N", "passes over the training images (6, for the digits 30)",
       [](options& to, auto const& value) { to.epochs = whole_number("--epochs", value, 1, many); }},
      {"--seeds", "N", "trainings of each student, each from another random start (5)",
       [](options& to, auto const& value) { to.seeds = whole_number("--seeds", value, 1, many); }},
      {"--seed", "N", "where all random numbers come from (1)",
       [](options& to, auto const& value) {
         to.seed = whole_number<std::uint64_t>("--seed", value, 0, any_seed);
       }},
      {"--threads", "N", "trainings at a time, results stay the same (one per processor)",
       [](options& to, auto const& value) { to.threads = whole_number("--threads", value, 1, many); }},
      {"--quick", "", "a short run to see that everything works; its accuracies mean little",
       [](options& to, auto const&) { to.quick = true; }},
      {"--help", "", "this text", [](options& to, auto const&) { to.help = true; }},
  };
  return known;
}

option const& find_option(std::string const& name) {
  auto const& known = known_options();
  auto const found =
      std::find_if(known.begin(), known.end(), [&](option const& each) { return each.name == name; });
  if (found == known.end()) throw usage_error("\"" + name + "\" is not an option");
  return *found;
}

/// Refuses a schedule that cannot be read, or that leaves its range anywhere in the run.
void check_schedule(std::string_view name, std::string const& text, int epochs, double lower, double upper,
                    std::string const& range) {
  try {
    distil::any_schedule const schedule = schedule_of(text, epochs);
    constexpr int points = 1000;
    for (int point = 0; point <= points; ++point) {
      double const value = schedule(static_cast<double>(point) / points);
      if (!(value >= lower && value <= upper)) refuse(name, text, range + " from first to last");
    }
  } catch (std::invalid_argument const& error) {
    throw usage_error(std::string(name) + " is \"" + text + "\": " + error.what());
  }
}

}  // namespace

options parse_options(std::span<char const* const> arguments) {
  options parsed;
  std::vector<std::string_view> given;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string const argument = arguments[at];
    std::size_t const equals = argument.find('=');
    option const& known = find_option(argument.substr(0, equals));
    bool const has_value = equals != argument.npos;
    if (known.value.empty() && has_value) throw usage_error(std::string(known.name) + " takes no value");
    if (!known.value.empty() && !has_value && at + 1 == arguments.size()) {
      throw usage_error(std::string(known.name) + " needs a value: " + std::string(known.name) + " " +
                        std::string(known.value));
    }
    std::string value;
    if (has_value) {
      value = argument.substr(equals + 1);
    } else if (!known.value.empty()) {
      value = arguments[++at];
    }
    known.set(parsed, value);
    given.push_back(known.name);
  }

  auto const has = [&](std::string_view name) {
    return std::find(given.begin(), given.end(), name) != given.end();
  };
  if (has("--temperature") && has("--schedule")) {
    throw usage_error("--temperature and --schedule both set the temperature; give one of them");
  }
  constexpr int usual_epochs = 6;
  int const epochs = parsed.epochs.value_or(usual_epochs);
  check_schedule(has("--temperature") ? "--temperature" : "--schedule", parsed.temperature, epochs, 0.05, 100,
                 "a temperature from 0.05 to 100");
  check_schedule("--soft-weight", parsed.soft_weight, epochs, 0, 1, "a weight from 0 to 1");
  return parsed;
}

std::string help_text() {
  std::string text =
      "Trains a teacher, then the same student by the labels alone and by distillation, and writes a "
      "report.\n"
      "\n"
      "usage: quickstart [options]\n"
      "\n";
  constexpr std::size_t help_column = 20;
  for (option const& each : known_options()) {
    std::string line = "  " + std::string(each.name) + " " + std::string(each.value);
    line.resize(std::max(help_column, line.size() + 1), ' ');
    text += line + std::string(each.help) + "\n";
  }
  return text;
}

distil::any_schedule schedule_of(std::string const& text, int epochs) {
  return distil::parse_schedule(number_of<double>(text) ? "constant:" + text : text, epochs);
}

}  // namespace quickstart
