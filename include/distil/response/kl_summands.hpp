#pragma once

#include "distil/response/divergence_function.hpp"
#include "distil/response/expectation_kernel.hpp"

/// Summands that vanish with the difference of both sides instead of cancelling over the row.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// KL(p || q) as p r - p + q >= 0, r = log p - log q.
template <class Lanes>
DISTIL_INLINE summand<Lanes> forward_summand(class_probabilities<Lanes> const& here) {
  using T = typename Lanes::value_type;
  return {kl_summand<T>(here.log_p, here.log_q, here.p, here.q), here.q - here.p,
          zero_safe_product(here.p, here.log_p - here.log_q)};
}

/// KL(q || p), by the same formula with the sides changed.
template <class Lanes>
DISTIL_INLINE summand<Lanes> reverse_summand(class_probabilities<Lanes> const& here) {
  summand<Lanes> const other = forward_summand<Lanes>({here.log_q, here.log_p, here.q, here.p});
  return {other.value, other.d_log_p, other.d_log_q};
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
