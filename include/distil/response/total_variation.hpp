#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// See `total_variation`.
struct total_variation_function : function_of_class<total_variation_function> {
  static constexpr char const* name = "total_variation";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return kernels::total_variation_summand(here);
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Total variation distance: the probability that a draft of the student is refused by the teacher in speculative
/// decoding. @alias TVD, TV distance, 1 - acceptance rate
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 1/2 sum_i |p_i - q_i| = T_b^2 (1 - sum_i min(p_i, q_i)), p = softmax(t / T), q =
///            softmax(z / T). Within [0, 1] T^2
/// @gradient  w_b / sum w * T (psi - q sum psi), psi = 1/2 q sign(q - p) with sign(0) = 0: a subgradient
/// @nan       finite whatever is masked
/// @error     `bound`; where log p and log q differ by less than their rounding, the sign is
///            that of the rounding
/// @cost      see `divergence`: 2 exponentials an element
/// @source    Wen et al. 2023 (f-distill), arXiv:2307.15190, section 3.2. Liger has sign(0) = -1
/// @example   distil::total_variation.with_grad(student, teacher, gradient, {.scale_by_temperature_squared = false})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<total_variation_function> total_variation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
