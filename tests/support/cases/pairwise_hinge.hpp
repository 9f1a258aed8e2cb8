#pragma once

#include "distil/response/pairwise_hinge.hpp"
#include "pairwise_case.hpp"

namespace distil::testing {

struct pairwise_hinge_case : pairwise_case<distil::pairwise_hinge, pairwise_hinge_case> {
  static constexpr char const* name = "pairwise_hinge";
  static constexpr error_bound bound = pairwise_hinge_loss::bound;
  static std::pair<long double, long double> phi(long double x) { return {std::max(x, 0.0L), x > 0 ? 1 : 0}; }
  static double gradient_scale(double, double pairs) { return std::max(1.0, pairs); }
};

}  // namespace distil::testing
