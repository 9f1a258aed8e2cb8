#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/power_divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `adaptive_alpha`.
struct adaptive_alpha_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The orders of the two divergences, of which the larger counts; finite. Default -1, as in the paper: it dislikes
  /// classes that the student overestimates.
  double alpha_min = -1.0;

  /// Default 1, as in the paper: forward KL, which dislikes those that it misses.
  double alpha_max = 1.0;

  /// What (p / q)^alpha counts for at most; finite and >= 1. Default 1000, as in the authors' code. It does not touch
  /// forward KL.
  double ratio_limit = 1e3;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `adaptive_alpha`.
struct adaptive_alpha_function {
  static constexpr char const* name = "adaptive_alpha";
  static constexpr error_bound bound{.value = 64, .gradient = 64, .temperature_gradient = 4};
  static constexpr bool homogeneous = true;
  using options = adaptive_alpha_options;

  double alpha_min, alpha_max, ratio_limit, log_limit;

  adaptive_alpha_function(options const& chosen)
      : alpha_min(chosen.alpha_min),
        alpha_max(chosen.alpha_max),
        ratio_limit(chosen.ratio_limit),
        log_limit(std::log(chosen.ratio_limit)) {}
  constexpr adaptive_alpha_function()
      : alpha_min(-1.0), alpha_max(1.0), ratio_limit(1e3), log_limit(6.907755278982137) {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_power(where, "alpha_min", alpha_min, type, detail::must_be_finite);
    detail::require_power(where, "alpha_max", alpha_max, type, detail::must_be_finite);
    detail::require_factor(
        where, "ratio_limit", ratio_limit, type,
        [](double limit) { return limit >= 1.0 && std::isfinite(limit); }, "finite and >= 1");
    check_limit(where, "alpha_min", alpha_min, type);
    check_limit(where, "alpha_max", alpha_max, type);
  }

  template <class Lanes>
  DISTIL_INLINE std::array<summand<Lanes>, 2> at(class_probabilities<Lanes> const& here) const {
    return {limited(here, alpha_min), limited(here, alpha_max)};
  }
  template <class Lanes>
  DISTIL_INLINE divergence_outcome<Lanes, 2> outcome(std::array<Lanes, 2> const& sums) const {
    auto const [low, high] = sums;
    auto const is_low = low > high;
    Lanes const zero(0), one(1);
    return {select(is_low, low, high), {select(is_low, one, zero), select(is_low, zero, one)}};
  }

 private:
  /// What `limited` multiplies by.
  void check_limit(char const* where, char const* argument, double alpha, detail::computing_type type) const {
    if (alpha == 0.0 || alpha == 1.0) return;
    detail::require_bounded(where, argument, alpha, type, "ratio_limit / (alpha (alpha - 1))",
                            ratio_limit / (alpha * (alpha - 1.0)), detail::must_be_finite);
  }

  /// Amari's summand (C - a p - (1 - a) q) / (a (a - 1)), C = p^a q^(1-a), with q ratio_limit in the place of C where that
  /// is less; the derivative by log q keeps its form.
  template <class Lanes>
  DISTIL_INLINE summand<Lanes> limited(class_probabilities<Lanes> const& here, double alpha) const {
    if (alpha == 1.0) return kernels::forward_summand(here);
    Lanes const ratio = here.log_p - here.log_q;
    auto const beyond = (alpha == 0.0 ? ratio : Lanes(alpha) * ratio) > Lanes(log_limit);
    summand<Lanes> const plain = power_divergence{alpha, 1.0 - alpha}.at(here);
    double of_p = 1.0, of_q = -(log_limit + 1.0), slope = -log_limit;
    if (alpha != 0.0) {
      double const over = 1.0 / (alpha * (alpha - 1.0));
      of_p = -alpha * over;
      of_q = (ratio_limit - (1.0 - alpha)) * over;
      slope = (1.0 - ratio_limit) / alpha;
    }
    return {select(beyond, fma(Lanes(of_q), here.q, Lanes(of_p) * here.p), plain.value),
            select(beyond, Lanes(slope) * here.q, plain.d_log_q),
            select(beyond, Lanes(of_p) * here.p, plain.d_log_p)};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// The larger of two of Amari's divergences, row by row, which between them see what the student overestimates and what it
/// misses. @alias AlphaNet, adaptive alpha divergence, AdaptiveLossSoft
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 max(D_low, D_high), D_a = sum_i q_i (min((p_i / q_i)^a, c) - 1) / (a (a - 1)),
///            low = alpha_min, high = alpha_max, c = ratio_limit, p = softmax(t / T), q = softmax(z / T); forward KL for a = 1, and
///            -sum_i q_i log min(p_i / q_i, c) for a = 0 [nats]. Below 0 at most by what the limit takes
/// @gradient  w_b / sum w * T (psi - q sum psi), psi = -q min((p / q)^a, c) / a of the divergence that counts, -p for a = 1 and
///            -q log min(p / q, c) for a = 0. Where the limit holds that is the source's gradient, not that of the
///            value; so is dL/dT
/// @nan       as `amari_alpha`, but finite where the limit holds: +inf where the teacher gives mass to a class that the student
///            has masked, for alpha_max = 1
/// @error     `bound` for orders within [-1, 2]
/// @cost      see `divergence`: 10 exponentials an element
/// @source    Wang et al. 2021 (AlphaNet), arXiv:2102.07954, section 3; `loss_ops.py`. There the number that is returned is not
///            L but -sum q rho log q, of the same gradient
/// @example   distil::adaptive_alpha.with_grad(student, teacher, gradient)
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<adaptive_alpha_function> adaptive_alpha{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
