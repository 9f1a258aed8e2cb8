#pragma once

#include "distil/feature/masked_generative.hpp"

#include "element_case.hpp"

namespace distil::testing {

struct masked_generative_case
    : element_case<masked_generative_case, distil::masked_generative, masked_generative_options> {
  static constexpr char const* name = "masked_generative";
  static constexpr error_bound bound = masked_generative_loss::bound;

  static std::vector<setting> settings() {
    return {{}, {"mean", {.reduce = feature_reduction::element_mean}}};
  }

  static long double of_element(long double s, long double t, index, setting const&) {
    return (s - t) * (s - t);
  }
};

}  // namespace distil::testing
