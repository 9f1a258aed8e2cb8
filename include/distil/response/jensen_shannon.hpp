#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `jensen_shannon`.
struct jensen_shannon_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The teacher's share of the mixture m = teacher_mix * p + (1 - teacher_mix) * q, and the weight of KL(p || m). Within
  /// (0, 1), since the loss is 0 at the ends. Default 0.5, as in Lin 1991 and in TRL and Liger (beta).
  double teacher_mix = 0.5;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `jensen_shannon`.
struct jensen_shannon_function : function_of_class<jensen_shannon_function> {
  static constexpr char const* name = "jensen_shannon";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};
  using options = jensen_shannon_options;

  double teacher_mix;
  kernels::mixing mixes;

  constexpr jensen_shannon_function(options const& chosen = {})
      : teacher_mix(chosen.teacher_mix), mixes(chosen.teacher_mix) {}

  void check(char const* where) const {
    detail::require(
        teacher_mix > 0.0 && teacher_mix < 1.0, where, "teacher_mix", teacher_mix,
        "within (0, 1), the loss is 0 at the ends: for KL(teacher || student) use forward_kl, for "
        "KL(student || teacher) reverse_kl");
  }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    using T = typename Lanes::value_type;
    kernels::mixture<Lanes> const mixed(here, mixes);
    Lanes const of_p = mixes.share.in<Lanes>(), of_q = mixes.rest.in<Lanes>();
    Lanes const value_of_p = kernels::kl_summand<T>(here.log_p, mixed.log_m, here.p, mixed.m);
    Lanes const value_of_q = kernels::kl_summand<T>(here.log_q, mixed.log_m, here.q, mixed.m);
    return {fma(of_p, value_of_p, of_q * value_of_q),
            of_q * zero_safe_product(here.q, here.log_q - mixed.log_m),
            of_p * zero_safe_product(here.p, here.log_p - mixed.log_m)};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Generalised Jensen-Shannon divergence: how far teacher and student are from their mixture. Bounded, finite whatever is
/// masked, and symmetric at teacher_mix 0.5. @alias JSD, GJS, GKD, beta-JSD, js_distance
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 [ b KL(p || m) + (1 - b) KL(q || m) ], b = teacher_mix, m = b p + (1 - b) q,
///            p = softmax(t / T), q = softmax(z / T) [nats]. Within [0, log 2] T^2
/// @gradient  w_b / sum w * T (1 - b) q (log(q / m) - KL(q || m))
/// @error     `bound`
/// @cost      see `divergence`: 2 exponentials and 1 logarithm an element
/// @source    Lin 1991, section IV; Agarwal et al. 2023 (GKD), arXiv:2306.13649, equation 1, whose beta is teacher_mix, as in
///            TRL since 2025, Liger and ms-swift; the `lam` of DistiLLM and ABKD is the student's share. At 0 and 1 the
///            formula is 0, which is refused; TRL, Liger and ms-swift put the two Kullback-Leibler divergences there, a jump
///            of 1 / (b (1 - b)) that `normalized_jensen_shannon` does away with
/// @example   distil::jensen_shannon(student, teacher, {.temperature = 2, .teacher_mix = 0.1})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<jensen_shannon_function> jensen_shannon{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
