#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "distil/core/contract.hpp"
#include "distil/core/text.hpp"
#include "distil/schedule/any_schedule.hpp"
#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/named.hpp"
#include "distil/schedule/power_of_two.hpp"
#include "distil/schedule/timing.hpp"

/// Schedules written as text, for command lines and configuration files.
namespace distil::schedule {

namespace detail {

template <class MustBe>
void require_text(bool holds, std::string_view argument, std::string_view was, MustBe const& must_be) {
  distil::detail::require(
      holds, "parse_schedule", argument, [was] { return distil::detail::quoted(was); }, must_be);
}

/// "a:b:c" as a, b, c. Empty parts stay, so that "a:" is seen to lack something.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) {
    parts.push_back(text.substr(0, end));
  }
  parts.push_back(text);
  return parts;
}

/// A name and its numbers: "cosine:4:1".
struct call {
  std::string_view name;
  numbers given;
};

inline double parsed_number(std::string_view spelled) {
  std::optional<double> const value = distil::detail::number_of<double>(spelled);
  require_text(value.has_value(), "a number", spelled, "a number such as 4, 0.5 or 1e-3");
  return *value;
}

inline call parsed_call(std::string_view text) {
  std::vector<std::string_view> const parts = split(text, ':');
  call parsed{parts.front(), numbers(parts.size() - 1)};
  std::transform(parts.begin() + 1, parts.end(), parsed.given.begin(), parsed_number);
  return parsed;
}

inline std::string known_usages() {
  std::string usages = "one of";
  for (named_schedule const& each : named_schedules) usages += distil::detail::said(" ", each.usage);
  return usages;
}

inline any_schedule named(std::string_view text, over length) {
  call const parsed = parsed_call(text);
  auto const* const known =
      std::find_if(named_schedules.begin(), named_schedules.end(),
                   [&](named_schedule const& each) { return each.name == parsed.name; });
  require_text(known != named_schedules.end(), "name", parsed.name, known_usages);
  require_text(known->takes(parsed.given.size()), "schedule", text, known->usage);
  return known->make(parsed.given, length);
}

/// "cosine:4:1" or "cosine:8:0.5|clamp:1:5" or "cosine:8:1|power_of_two".
inline any_schedule adjusted_by(std::string_view text, over length) {
  std::vector<std::string_view> const parts = split(text, '|');
  any_schedule parsed = named(parts.front(), length);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    call const by = parsed_call(parts[i]);
    bool const is_power = by.name == "power_of_two" && by.given.empty();
    require_text(is_power || (by.name == "clamp" && by.given.size() == 2), "text after |", parts[i],
                 "clamp:LOWER:UPPER or power_of_two");
    parsed = is_power ? any_schedule(parsed | power_of_two()) : parsed | clamp(by.given[0], by.given[1]);
  }
  return parsed;
}

/// One part of a sequence, "linear:1:4@20".
inline any_schedule part_of_sequence(std::string_view text) {
  std::vector<std::string_view> const parts = split(text, '@');
  require_text(parts.size() == 2, "part of a sequence", text, "a schedule and its length, as linear:1:4@20");
  return adjusted_by(parts[0], over(parsed_number(parts[1])));
}

}  // namespace detail

/// The schedule that a text names, for a run of `total_steps`:
///
///     cosine:4:1                                  a name and its numbers; every name is in `named.hpp`
///     cosine:8:0.5|clamp:1:5                      kept in a range
///     cosine:8:1|power_of_two                     8, 4, 2, 1
///     linear:1:4@20,constant:4@50,cosine:4:1@30   one after the other, each with its length
///
/// The lengths of a sequence are steps where they sum to `total_steps`, and shares of the run where they do
/// not. Numbers are read the same in every locale. The same text gives the same schedule again, so a
/// checkpoint keeps the text. Throws std::invalid_argument with what was read and what it must be.
inline any_schedule parse_schedule(std::string_view text, over total_steps) {
  if (text.find_first_of(",@") == text.npos) return detail::adjusted_by(text, total_steps);
  std::vector<std::string_view> const parts = detail::split(text, ',');
  any_schedule whole = detail::part_of_sequence(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) whole = whole | then(detail::part_of_sequence(parts[i]));
  return whole | total_steps;
}

/// The same, with the length as any number.
template <class Number>
requires std::is_arithmetic_v<Number> any_schedule parse_schedule(std::string_view text, Number total_steps) {
  return parse_schedule(text, over(total_steps));
}

}  // namespace distil::schedule

namespace distil {
using schedule::parse_schedule;
}
