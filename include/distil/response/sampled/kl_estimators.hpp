#pragma once

#include <cmath>
#include <limits>

#include "distil/simd/architecture.hpp"

namespace distil {

/// What one sampled token says of a divergence, with r = log p(x) - log q(x), x drawn from the student q and held
/// fixed. The expectation of every value but that of `policy_gradient` measures how far q is from p; what training by
/// its gradient does is another matter, and differs.
enum class kl_estimator {
  k1,  ///< -r. Value: KL(q || p), without bias. Expected gradient: 0; for monitoring
  k2,  ///< r^2 / 2. Value: biased. Expected gradient: that of reverse KL(q || p)
  k3,  ///< e^r - 1 - r >= 0. Value: KL(q || p), without bias. Expected gradient: that of forward KL(p || q)
  clipped_k3,  ///< min(k3, limit), without gradient above the limit: "low_var_kl" of verl
  absolute,    ///< |r|. Expected gradient: that of sum_x q(x) sign(log q - log p) with the signs held fixed
  policy_gradient  ///< -A log q, A = advantage_coefficient * r held fixed. Expected gradient: that of reverse KL
};

}  // namespace distil

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The value of an estimator, and its derivative by log q.
struct sampled_estimate {
  double value;
  double slope;
};

/// e^r - 1 - r, never negative. Near 0 by its series, where the closed form would cancel.
inline double exponential_remainder(double r) {
  if (r == std::numeric_limits<double>::infinity()) return r;
  if (!(std::abs(r) < 0.5)) return std::expm1(r) - r;
  double series = 1.0;
  for (int k = 18; k >= 3; --k) series = 1.0 + r / k * series;
  return r * r / 2 * series;
}

/// Not inlined: its products and sums must round alike in the value form and in that with gradient.
[[gnu::noinline]] inline sampled_estimate estimate_of(kl_estimator kind, double log_p, double log_q,
                                                      double limit, double advantage_coefficient) {
  double const r = log_p - log_q;
  if (std::isnan(r)) return {r, r};
  switch (kind) {
    case kl_estimator::k1:
      return {-r, 1.0};
    case kl_estimator::k2:
      return {r * r / 2, -r};
    case kl_estimator::k3:
      return {exponential_remainder(r), -std::expm1(r)};
    case kl_estimator::clipped_k3: {
      double const k3 = exponential_remainder(r);
      if (k3 > limit) return {limit, 0.0};
      return {k3, -std::expm1(r)};
    }
    case kl_estimator::absolute:
      return {std::abs(r), r == 0.0 ? 0.0 : std::copysign(1.0, -r)};
    case kl_estimator::policy_gradient:
      break;
  }
  double const advantage = advantage_coefficient == 0.0 ? 0.0 : advantage_coefficient * r;
  return {log_q == 0.0 || advantage == 0.0 ? 0.0 : -advantage * log_q, -advantage};
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
