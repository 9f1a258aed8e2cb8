#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `normalized_jensen_shannon`.
struct normalized_jensen_shannon_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The teacher's share of the mixture; 0 gives `forward_kl` and 1 `reverse_kl`. Within [0, 1]; less than 1e-30 counts
  /// as 0. Default 0.5: four times `jensen_shannon`.
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

/// See `normalized_jensen_shannon`.
struct normalized_jensen_shannon_function : function_of_class<normalized_jensen_shannon_function> {
  static constexpr char const* name = "normalized_jensen_shannon";
  static constexpr error_bound bound{.value = 32, .gradient = 32, .temperature_gradient = 4};
  using options = normalized_jensen_shannon_options;

  double teacher_mix;
  kernels::mixing mixes, mixes_exchanged;

  constexpr normalized_jensen_shannon_function(options const& chosen = {})
      : teacher_mix(chosen.teacher_mix),
        mixes(chosen.teacher_mix),
        mixes_exchanged(1.0 - chosen.teacher_mix) {}

  void check(char const* where) const {
    detail::require(detail::is_share(teacher_mix), where, "teacher_mix", teacher_mix, detail::must_be_share);
  }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    if (teacher_mix <= 0.5) return small_share(here, teacher_mix, mixes);
    return kernels::exchanged(small_share(kernels::exchanged(here), 1.0 - teacher_mix, mixes_exchanged));
  }

 private:
  /// For a share b of p up to 1/2. With x = (p - q) / q is log(q / m) = -log1p(b x), which over b becomes -x at 0, where
  /// the difference of logarithms would be 0 / 0.
  template <class Lanes>
  static DISTIL_INLINE summand<Lanes> small_share(class_probabilities<Lanes> const& here, double share,
                                                  kernels::mixing const& shares) {
    using T = typename Lanes::value_type;
    using kernels::kl_summand;
    if (share < kernels::least_share) return kernels::forward_summand(here);
    kernels::mixture<Lanes> const mixed(here, shares);
    Lanes const smallest(mixed.smallest);
    Lanes const x = (here.p - here.q) / select(here.q < smallest, smallest, here.q);
    Lanes const log_q_m = -log1p(shares.share.in<Lanes>() * x);
    Lanes const by_q(1.0 / share), by_p(1.0 / (1.0 - share));
    return {fma(by_p, kl_summand<T>(here.log_p, mixed.log_m, here.p, mixed.m),
                by_q * kl_summand<T>(log_q_m, Lanes(0), here.q, mixed.m)),
            by_q * here.q * log_q_m, by_p * zero_safe_product(here.p, here.log_p - mixed.log_m)};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Generalised Jensen-Shannon divergence over b (1 - b): one loss from forward KL at teacher_mix 0 to reverse KL at 1, of
/// the same size everywhere. @alias normalized GJS, skew Jensen divergence, continuous GKD
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 [ KL(p || m) / (1 - b) + KL(q || m) / b ], b = teacher_mix, m = b p +
///            (1 - b) q [nats]; its limits KL(p || q) at b = 0 and KL(q || p) at 1. Never negative
/// @gradient  w_b / sum w * T q (log(q / m) - KL(q || m)) / b, which for b to 0 becomes T (q - p)
/// @nan       finite whatever is masked for 0 < b < 1; at the ends as the two Kullback-Leibler divergences
/// @error     `bound`, however near the ends
/// @cost      see `divergence`: 2 exponentials and 2 logarithms an element
/// @source    Lin 1991 over b (1 - b), as in Nielsen 2010's skew Jensen divergences. No library has it; those with
///            special cases at 0 and 1 jump there (TRL, ms-swift). verl's recipe clamps b to [1e-6, 1 - 1e-6] and is
///            nearly 0 there
/// @example   distil::normalized_jensen_shannon(student, teacher, {.teacher_mix = 0.01})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<normalized_jensen_shannon_function> normalized_jensen_shannon{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
