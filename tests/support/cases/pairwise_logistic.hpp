#pragma once

#include "distil/response/pairwise_logistic.hpp"
#include "pairwise_case.hpp"

namespace distil::testing {

struct pairwise_logistic_case : pairwise_case<distil::pairwise_logistic, pairwise_logistic_case> {
  static constexpr char const* name = "pairwise_logistic";
  static constexpr error_bound bound = pairwise_logistic_loss::bound;
  static std::pair<long double, long double> phi(long double x) {
    return {std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))), 1 / (1 + std::exp(-x))};
  }
  static double gradient_scale(double value_scale, double) { return value_scale; }
};

}  // namespace distil::testing
