#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// See `reverse_kl`.
struct reverse_kl_function : function_of_class<reverse_kl_function> {
  static constexpr char const* name = "reverse_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};

  [[nodiscard]] static constexpr distil::kl_weights kl_weights() { return {.forward = 0.0, .reverse = 1.0}; }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return kernels::reverse_summand(here);
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Reverse Kullback-Leibler divergence KL(student || teacher) of softened distributions: the student keeps to the modes
/// of the teacher instead of covering all of it. @alias RKL, MiniLLM, mode-seeking KL, ReverseKLLoss
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 sum_i q_i (log q_i - log p_i), p = softmax(t / T), q =
///            softmax(z / T) [nats]. Never negative
/// @gradient  w_b / sum w * T q (log q - log p - L_b); without the factor T^2: the same over T^2
/// @nan       where the teacher has masked a class to which the student gives mass, L is +inf and has no gradient: that
///            of the row is NaN. Mask the class on both sides (a padded vocabulary), or see `skew_reverse_kl` and
///            `jensen_shannon`, which stay finite. Classes the student alone has masked count for nothing
/// @error     `bound`
/// @cost      one read of student and teacher, another for the gradient and one write, 2 exponentials an element; one read
///            more for a row whose divergence is under 2^-6 nats (2^-20 in double) and for a gradient of the temperature; 2
///            numbers of scratch a class
/// @source    Gu, Dong, Wei, Huang 2023 (MiniLLM), arXiv:2306.08543, section 2. torchtune, DistiLLM, TRL and Liger have
///            no factor T^2: set `scale_by_temperature_squared = false`. torchtune and DistiLLM leave classes with an
///            infinite logit out of the value, and the gradient becomes NaN nevertheless
/// @example   distil::reverse_kl.with_grad(student, teacher, gradient, {.temperature = 2.0F})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<reverse_kl_function> reverse_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
