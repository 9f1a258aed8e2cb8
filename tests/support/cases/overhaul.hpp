#pragma once

#include "distil/feature/overhaul.hpp"

#include "element_case.hpp"

namespace distil::testing {

struct overhaul_case : element_case<overhaul_case, distil::overhaul, overhaul_options> {
  static constexpr char const* name = "overhaul";
  static constexpr error_bound bound = overhaul_loss::bound;

  static std::vector<setting> settings() {
    return {
        {},
        {"margin -0.3, sum", {.margins = -0.3, .reduce = feature_reduction::sum}},
        {"margin 0.2, mean", {.margins = 0.2, .reduce = feature_reduction::element_mean, .divisor = 1000}}};
  }

  static long double of_element(long double s, long double t, index channel, setting const& with) {
    long double const target = std::max(t, static_cast<long double>(with.options.margins[channel]));
    return s > target || target > 0 ? (s - target) * (s - target) / with.options.divisor : 0;
  }
};

}  // namespace distil::testing
