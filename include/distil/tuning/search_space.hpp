#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "distil/core/text.hpp"

namespace distil::tuning {

enum class parameter_kind {
  real,         ///< every number of an interval alike
  logarithmic,  ///< every ratio alike: temperatures, learning rates
  integer,      ///< every whole number
  choice        ///< one of some texts: names, or schedules for `parse_schedule`
};

/// What is searched for by one name.
struct parameter {
  std::string name;
  parameter_kind kind = parameter_kind::real;
  double low = 0, high = 1;
  std::vector<std::string> choices = {};
};

/// Values of all parameters, in the order of the space; of a choice its number.
using point = std::vector<double>;

/// The parameters of a search.
///
///     tuning::search_space space;
///     space.logarithmic("temperature", 1, 20).real("soft_weight", 0, 1).choice("schedule", {"constant:4", "cosine:8:1"});
///
/// Names and choices are texts without commas, quotes and line breaks, so that a record of trials is a plain table.
class search_space {
 public:
  /// Each throws std::invalid_argument on a name that is empty, taken or unfit, on an interval that is empty or not finite, on a
  /// logarithmic one that is not above 0, on integers that are none, and on no choice.
  search_space& real(std::string name, double low, double high) {
    return interval({std::move(name), parameter_kind::real, low, high});
  }
  search_space& logarithmic(std::string name, double low, double high) {
    detail::require(low > 0.0, where, "low", low, "above 0 for a logarithmic parameter");
    return interval({std::move(name), parameter_kind::logarithmic, low, high});
  }
  search_space& integer(std::string name, double low, double high) {
    for (double const each : {low, high}) {
      detail::require(each == std::floor(each), where, "end of an integer parameter", each, "a whole number");
    }
    return interval({std::move(name), parameter_kind::integer, low, high});
  }
  search_space& choice(std::string name, std::vector<std::string> choices) {
    detail::require(!choices.empty(), where, "number of choices", choices.size(), "at least 1");
    for (std::string const& each : choices) require_plain("choice", each);
    auto const last = static_cast<double>(choices.size() - 1);
    return add({std::move(name), parameter_kind::choice, 0, last, std::move(choices)});
  }

  [[nodiscard]] std::span<parameter const> parameters() const { return parameters_; }
  [[nodiscard]] std::size_t size() const { return parameters_.size(); }

  /// The place of a name; throws std::invalid_argument where there is none.
  [[nodiscard]] std::size_t find(std::string_view name) const {
    auto const found = std::find_if(parameters_.begin(), parameters_.end(),
                                    [&](parameter const& each) { return each.name == name; });
    detail::require(
        found != parameters_.end(), where, "parameter", [&] { return detail::quoted(name); },
        "one of the space");
    return static_cast<std::size_t>(found - parameters_.begin());
  }
  [[nodiscard]] double number(point const& at, std::string_view name) const { return at[find(name)]; }
  [[nodiscard]] std::string const& chosen(point const& at, std::string_view name) const {
    std::size_t const place = find(name);
    detail::require(
        parameters_[place].kind == parameter_kind::choice, where, "parameter",
        [&] { return detail::quoted(name); }, "a choice");
    return parameters_[place].choices[static_cast<std::size_t>(at[place])];
  }

  /// From a number of [0, 1) for each parameter to a point.
  [[nodiscard]] point at(std::span<double const> shares) const {
    point result;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parameter const& each = parameters_[i];
      double const share = std::clamp(shares[i], 0.0, 1.0);
      if (each.kind == parameter_kind::real) {
        result.push_back(each.low + share * (each.high - each.low));
      } else if (each.kind == parameter_kind::logarithmic) {
        double const value = each.low * std::exp(share * std::log(each.high / each.low));
        result.push_back(std::clamp(value, each.low, each.high));
      } else {
        result.push_back(std::min(each.high, each.low + std::floor(share * (each.high - each.low + 1.0))));
      }
    }
    return result;
  }

  /// Coordinates in which near points are alike: shares of intervals, and a coordinate for each choice.
  [[nodiscard]] std::vector<double> coordinates(point const& at) const {
    std::vector<double> result;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parameter const& each = parameters_[i];
      double const width = each.high - each.low;
      if (each.kind == parameter_kind::choice) {
        for (std::size_t k = 0; k < each.choices.size(); ++k)
          result.push_back(at[i] == static_cast<double>(k) ? 0.5 : 0.0);
      } else if (each.kind == parameter_kind::logarithmic) {
        result.push_back(width > 0.0 ? std::log(at[i] / each.low) / std::log(each.high / each.low) : 0.0);
      } else {
        result.push_back(width > 0.0 ? (at[i] - each.low) / width : 0.0);
      }
    }
    return result;
  }

  /// What a table has for a value: a number, or the text of a choice.
  [[nodiscard]] std::string text(std::size_t parameter, double value) const {
    auto const& each = parameters_[parameter];
    return each.kind == parameter_kind::choice ? each.choices[static_cast<std::size_t>(value)]
                                               : detail::text_of(value);
  }
  /// The other way; nothing where the text is no value of the parameter.
  [[nodiscard]] std::optional<double> value(std::size_t parameter, std::string_view text) const {
    auto const& each = parameters_[parameter];
    if (each.kind == parameter_kind::choice) {
      for (std::size_t k = 0; k < each.choices.size(); ++k) {
        if (each.choices[k] == text) return static_cast<double>(k);
      }
      return std::nullopt;
    }
    auto const number = detail::number_of<double>(text);
    bool const fits = number && *number >= each.low && *number <= each.high &&
                      (each.kind != parameter_kind::integer || *number == std::floor(*number));
    return fits ? number : std::nullopt;
  }

 private:
  static constexpr char const* where = "tuning::search_space";

  static void require_plain(char const* argument, std::string const& text) {
    detail::require(
        !text.empty() && text.find_first_of(",\"\n\r") == text.npos, where, argument,
        [&] { return detail::quoted(text); }, "a text without commas, quotes and line breaks");
  }
  search_space& interval(parameter each) {
    detail::require(std::isfinite(each.low), where, "low", each.low, "finite");
    detail::require(std::isfinite(each.high) && each.high >= each.low, where, "high", each.high,
                    "finite, at least low");
    return add(std::move(each));
  }
  search_space& add(parameter each) {
    require_plain("name", each.name);
    bool const taken = std::any_of(parameters_.begin(), parameters_.end(),
                                   [&](parameter const& other) { return other.name == each.name; });
    detail::require(
        !taken && each.name != "trial" && each.name != "metric", where, "name",
        [&] { return detail::quoted(each.name); }, "a name of its own, not trial or metric");
    parameters_.push_back(std::move(each));
    return *this;
  }

  std::vector<parameter> parameters_;
};

}  // namespace distil::tuning
