#pragma once

#include <optional>
#include <string>

#include "distil/core/number_checks.hpp"
#include "distil/response/teacher/term.hpp"

namespace distil::detail {

/// A divergence as a term, apart from its formula and its teacher, which may have a temperature of its own. `Options` are
/// like `divergence_options`.
struct softened_term : tempered_term {
  std::optional<row_parameter> teacher_temperature;
  std::optional<row_parameter> factor;
  bool squared = true;

  template <class Options>
  explicit softened_term(Options const& options)
      : tempered_term{{.rows = options.rows,
                       .temperature_gradient = options.temperature_gradient,
                       .teacher_temperature_gradient = options.teacher_temperature_gradient},
                      options.temperature},
        teacher_temperature(options.teacher_temperature),
        factor(options.factor),
        squared(options.scale_by_temperature_squared) {}

  /// Whether the kernel is to differentiate by the temperatures.
  [[nodiscard]] bool wants_derivative() const {
    return !temperature_gradient.empty() || !teacher_temperature_gradient.empty();
  }

  void check_softening(char const* where, bool teacher_moves, index row_count) const {
    if (factor) require_parameter(where, "factor", *factor, row_count, is_weight, must_be_weight);
    if (!teacher_temperature) {
      return require(teacher_temperature_gradient.empty(), where, "teacher_temperature_gradient", "asked for",
                     "left out, unless teacher_temperature is set");
    }
    require_temperature(where, *teacher_temperature, teacher_temperature_gradient, row_count,
                        "teacher_temperature", "teacher_temperature_gradient");
    require(teacher_moves, where, "teacher_temperature", "set",
            "left out for a distribution that does not say what it was captured at");
  }

  void check_derivative(char const* where, bool can_derive) const {
    require(!wants_derivative() || can_derive, where, "temperature_gradient", "asked for",
            "left out, since this divergence has no d_log_p");
  }

  /// Factors of rows do not overflow in the type they are used in.
  void check_factors(char const* where, computing_type type) const {
    for (index row = 0; factor && row < (factor->per_row() ? factor->size() : 1); ++row) {
      double const value = (*factor)[row];
      require(
          !type.overflows(value), where, "factor",
          [&] {
            std::string const place = factor->per_row() ? " in row " + text_of(row) : "";
            return said(value, place, ", which is ", type.text(value));
          },
          must_be_weight);
    }
  }

  void inspect_softening(char const* where) const {
    if (teacher_temperature) {
      require_row_values(where, "teacher_temperature", *teacher_temperature, is_temperature,
                         must_be_temperature);
    }
    if (factor) require_row_values(where, "factor", *factor, is_weight, must_be_weight);
  }

  /// A row of factor 0 is absent, whatever it holds, but counts in the divisor as it would with another.
  [[nodiscard]] row_weight with_factor(row_weight weight, index row) const {
    if (factor && (*factor)[row] == 0.0) weight.multiplier = 0.0;
    return weight;
  }
  [[nodiscard]] bool some_row_is_absent(index row_count) const {
    if (!factor) return false;
    if (!factor->per_row()) return (*factor)[0] == 0.0;
    for (index row = 0; row < row_count; ++row) {
      if ((*factor)[row] == 0.0) return true;
    }
    return false;
  }
};

}  // namespace distil::detail
