#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distil/tuning/search_space.hpp"

namespace distil::tuning {

/// What is better of a metric.
enum class goal { minimise, maximise };

/// A point that was tried, and what came of it.
struct trial {
  std::int64_t id = 0;  ///< counted from 0, in the order of the proposals
  point at = {};
  double metric = std::nan("");  ///< NaN and infinities count as the worst

  friend bool operator==(trial const& a, trial const& b) {
    return a.id == b.id && a.at == b.at &&
           (a.metric == b.metric || (std::isnan(a.metric) && std::isnan(b.metric)));
  }
};

/// Of two trials the better; a metric that is not finite is never.
[[nodiscard]] inline bool is_better(double metric, double other, goal wanted) {
  if (!std::isfinite(metric)) return false;
  if (!std::isfinite(other)) return true;
  return wanted == goal::minimise ? metric < other : metric > other;
}

/// The best of some trials, the first of equal ones; nothing where none has a finite metric.
[[nodiscard]] inline std::optional<trial> best_of(std::span<trial const> trials, goal wanted) {
  std::optional<trial> best;
  for (trial const& each : trials) {
    if (is_better(each.metric, best ? best->metric : std::nan(""), wanted)) best = each;
  }
  return best;
}

/// The first line of a record: "trial,temperature,...,metric".
[[nodiscard]] inline std::string csv_header(search_space const& space) {
  std::string text = "trial,";
  for (parameter const& each : space.parameters()) text += each.name + ",";
  return text + "metric\n";
}
/// A line of it, to be appended to a file as soon as the trial ends.
[[nodiscard]] inline std::string csv_line(search_space const& space, trial const& each) {
  std::string text = detail::said(each.id, ",");
  for (std::size_t i = 0; i < space.size(); ++i) text += space.text(i, each.at[i]) + ",";
  return text + detail::text_of(each.metric) + "\n";
}
[[nodiscard]] inline std::string to_csv(search_space const& space, std::span<trial const> trials) {
  std::string text = csv_header(space);
  for (trial const& each : trials) text += csv_line(space, each);
  return text;
}

/// The trials of a record. A last line without its line break was torn by a crash: it is left out, and `*torn` says so. Throws
/// std::invalid_argument with the line and what it must be on a record of another space, and on any other damage.
[[nodiscard]] inline std::vector<trial> trials_from_csv(search_space const& space, std::string_view text,
                                                        bool* torn = nullptr) {
  constexpr char const* where = "tuning::trials_from_csv";
  if (torn != nullptr) *torn = false;
  std::vector<trial> trials;
  std::int64_t line_number = 0;
  auto const require_line = [&](bool holds, std::string_view line, auto const& must_be) {
    detail::require(
        holds, where, "record", [&] { return detail::said(detail::quoted(line), " in line ", line_number); },
        must_be);
  };
  while (!text.empty()) {
    ++line_number;
    std::size_t const end = text.find('\n');
    std::string_view const line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (end == text.npos) {
      if (torn != nullptr) *torn = true;
      break;
    }
    if (line_number == 1) {
      std::string const header = csv_header(space);
      require_line(detail::said(line, "\n") == header, line, [&] {
        return detail::quoted(std::string_view(header).substr(0, header.size() - 1)) +
               ", the parameters of the space";
      });
      continue;
    }
    std::vector<std::string_view> fields;
    std::string_view rest = line;
    for (std::size_t comma; (comma = rest.find(',')) != rest.npos; rest.remove_prefix(comma + 1)) {
      fields.push_back(rest.substr(0, comma));
    }
    fields.push_back(rest);
    require_line(fields.size() == space.size() + 2, line,
                 [&] { return detail::said(space.size() + 2, " fields"); });
    trial each;
    auto const id = detail::number_of<std::int64_t>(fields.front());
    auto const metric = detail::number_of<double>(fields.back());
    require_line(id && *id >= 0, line, "a trial's number first");
    require_line(metric.has_value(), line, "a metric last");
    each.id = *id;
    each.metric = *metric;
    for (std::size_t i = 0; i < space.size(); ++i) {
      auto const value = space.value(i, fields[i + 1]);
      require_line(value.has_value(), line,
                   [&] { return detail::said("a value of ", space.parameters()[i].name); });
      each.at.push_back(*value);
    }
    for (trial const& before : trials) require_line(before.id != each.id, line, "a trial that is no other's");
    trials.push_back(std::move(each));
  }
  return trials;
}

}  // namespace distil::tuning
