#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `skew_kl`.
struct skew_kl_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The teacher's share of the mixture that stands for the student: m = skew * p + (1 - skew) * q. Within [0, 1); 0 is
  /// `forward_kl`, less than 1e-30 counts as 0, and at 1 the loss would be 0. Default 0.1, as in DistiLLM (lam).
  double skew = 0.1;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `skew_kl`.
struct skew_kl_function : function_of_class<skew_kl_function> {
  static constexpr char const* name = "skew_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 4};
  using options = skew_kl_options;

  double skew;
  kernels::mixing mixes;

  constexpr skew_kl_function(options const& chosen = {}) : skew(chosen.skew), mixes(chosen.skew) {}

  void check(char const* where) const { kernels::require_skew(where, skew); }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    using T = typename Lanes::value_type;
    if (skew < kernels::least_share) return kernels::forward_summand(here);
    kernels::mixture<Lanes> const mixed(here, mixes);
    Lanes const difference = (here.q - here.p) * mixed.inverse();
    return {kernels::kl_summand<T>(here.log_p, mixed.log_m, here.p, mixed.m),
            mixes.rest_squared.in<Lanes>() * here.q * difference,
            fma(mixes.product.in<Lanes>() * here.p, difference,
                zero_safe_product(here.p, here.log_p - mixed.log_m))};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Forward KL to a student that is mixed with a little of the teacher, which keeps the gradient of classes that the student
/// hardly knows bounded. @alias SKL, skew KL, skewed forward KL, DistiLLM
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 KL(p || m), m = s p + (1 - s) q, s = skew, p = softmax(t / T), q =
///            softmax(z / T) [nats]. Within [0, -log s] T^2
/// @gradient  w_b / sum w * T (psi - q sum psi), psi = -(1 - s) p q / m
/// @nan       finite whatever is masked, unless skew is 0
/// @error     `bound`
/// @cost      see `divergence`: 2 exponentials, 1 logarithm and 1 quotient an element
/// @source    Ko et al. 2024 (DistiLLM), arXiv:2402.03898, section 3.1, after Lee 1999. Their code leaves out the
///            teacher's entropy and has no factor T^2: the gradient is the same, the value not 0 when both agree
/// @example   distil::skew_kl.with_grad(student, teacher, gradient, {.skew = 0.1})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<skew_kl_function> skew_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
