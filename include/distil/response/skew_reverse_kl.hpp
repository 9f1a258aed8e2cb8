#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `skew_reverse_kl`.
struct skew_reverse_kl_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The student's share of the mixture that stands for the teacher: m = (1 - skew) * p + skew * q. Within [0, 1); 0 is
  /// `reverse_kl`, less than 1e-30 counts as 0, and at 1 the loss would be 0. Default 0.1, as in DistiLLM (lam).
  double skew = 0.1;

  /// Holds the mixture constant in the gradient, and with it in dL/dT, as DistiLLM-2 does. Default false: the gradient of
  /// the formula.
  bool detach_mixture = false;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `skew_reverse_kl`.
struct skew_reverse_kl_function : function_of_class<skew_reverse_kl_function> {
  static constexpr char const* name = "skew_reverse_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 4};
  using options = skew_reverse_kl_options;

  double skew;
  bool detach_mixture;
  kernels::mixing mixes;

  constexpr skew_reverse_kl_function(options const& chosen = {})
      : skew(chosen.skew), detach_mixture(chosen.detach_mixture), mixes(1.0 - chosen.skew) {}

  void check(char const* where) const { kernels::require_skew(where, skew); }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    using T = typename Lanes::value_type;
    if (skew < kernels::least_share) {
      auto result = kernels::reverse_summand(here);
      if (detach_mixture) result.d_log_p = Lanes(0);
      return result;
    }
    kernels::mixture<Lanes> const mixed(here, mixes);
    Lanes const value = kernels::kl_summand<T>(here.log_q, mixed.log_m, here.q, mixed.m);
    Lanes const held = zero_safe_product(here.q, here.log_q - mixed.log_m);
    if (detach_mixture) return {value, held, Lanes(0)};
    Lanes const difference = (here.p - here.q) * mixed.inverse();
    return {value, fma(mixes.product.in<Lanes>() * here.q, difference, held),
            mixes.share_squared.in<Lanes>() * here.p * difference};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Reverse KL to a teacher that is mixed with a little of the student: finite where the teacher gives no mass.
/// @alias SRKL, skew reverse KL, skewed reverse KL, DistiLLM, DistiLLM-2
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 KL(q || m), m = (1 - s) p + s q, s = skew, p = softmax(t / T), q =
///            softmax(z / T) [nats]. Within [0, -log s] T^2
/// @gradient  w_b / sum w * T q (g - sum q g), g = log(q / m) - s q / m, and g = log(q / m) with `detach_mixture`
/// @nan       finite whatever is masked, unless skew is 0
/// @error     `bound`
/// @cost      see `divergence`: 2 exponentials, 1 logarithm and 1 quotient an element
/// @source    Ko et al. 2024 (DistiLLM), arXiv:2402.03898, section 3.1; Ko et al. 2025 (DistiLLM-2), arXiv:2503.07067, whose
///            code detaches the mixture. Their code has no factor T^2
/// @example   distil::skew_reverse_kl.with_grad(student, teacher, gradient, {.skew = 0.1, .detach_mixture = true})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<skew_reverse_kl_function> skew_reverse_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
