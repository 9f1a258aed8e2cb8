#pragma once

#include "distil/feature/activation_boundaries.hpp"

#include "element_case.hpp"

namespace distil::testing {

struct activation_boundaries_case
    : element_case<activation_boundaries_case, distil::activation_boundaries, activation_boundaries_options> {
  static constexpr char const* name = "activation_boundaries";
  static constexpr error_bound bound = activation_boundaries_loss::bound;

  static std::vector<setting> settings() {
    // First a margin that no 16-bit number meets: differences do not see the turn.
    return {{"margin 0.3, sum", {.margin = 0.3, .reduce = feature_reduction::sum}},
            {},
            {"mean", {.reduce = feature_reduction::element_mean, .divisor = 3}}};
  }

  static long double of_element(long double s, long double t, index, setting const& with) {
    long double const m = with.options.margin;
    long double sum = 0;
    if (s > -m && t <= 0) sum += (s + m) * (s + m);
    if (s <= m && t > 0) sum += (s - m) * (s - m);
    return sum / with.options.divisor;
  }
};

}  // namespace distil::testing
