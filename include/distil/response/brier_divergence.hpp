#pragma once

#include "distil/response/divergence.hpp"

namespace distil {

/// See `brier_divergence`.
struct brier_divergence_function {
  static constexpr char const* name = "brier_divergence";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};

  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(log_p) - exp(log_q);
    return difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    Lanes const q = exp(log_q);
    return Lanes(2) * (q - exp(log_p)) * q;
  }
  template <class Lanes>
  Lanes d_log_p(Lanes log_p, Lanes log_q) const {
    return d_log_q(log_q, log_p);
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Squared distance of softened distributions; within [0, 2], for teachers whose tails are not to be trusted.
/// @alias     score MSE, row-softmax score MSE, probability MSE, Brier score
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 sum_i (p_i - q_i)^2, p = softmax(t / T), q = softmax(z / T)
/// @gradient  w_b / sum w * 2 T q ((q - p) - sum q (q - p)); without the factor T^2 over T in the place of times T
/// @error     `bound`, the value relative to |exact| + m T^2 (1 + log C) with m the largest
///            probability of the row on either side
/// @cost      see `divergence`: 4 exponentials an element
/// @source    Brier 1950. Over the candidates of a query, with cosines as scores, a loss of embedding distillation: T =
///            0.02 without the factor T^2. The mean is over rows, the classes of a row are summed
/// @example   distil::brier_divergence.with_grad(scores, teacher_scores, gradient, {.temperature = 0.02,
///            .scale_by_temperature_squared = false})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<brier_divergence_function> brier_divergence{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
