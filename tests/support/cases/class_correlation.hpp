#pragma once

#include "distil/response/class_correlation.hpp"

#include "gram_case.hpp"

namespace distil::testing {

struct class_correlation_case : gram_case<class_correlation_case, distil::class_correlation, true> {
  static constexpr char const* name = "class_correlation";
  static constexpr error_bound bound = class_correlation_loss::bound;
};

}  // namespace distil::testing
