#pragma once

#include "distil/response/batch_correlation.hpp"

#include "gram_case.hpp"

namespace distil::testing {

struct batch_correlation_case : gram_case<batch_correlation_case, distil::batch_correlation, false> {
  static constexpr char const* name = "batch_correlation";
  static constexpr error_bound bound = batch_correlation_loss::bound;
};

}  // namespace distil::testing
