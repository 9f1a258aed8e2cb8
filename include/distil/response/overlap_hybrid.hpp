#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `overlap_hybrid`.
struct overlap_hybrid_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// KL(p || q) has weight e^(-overlap_decay * a) and total variation the rest; a is the overlap. Finite and >= 0.
  /// Default 3, as in vLLM's speculators (eta).
  double overlap_decay = 3.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `overlap_hybrid`.
struct overlap_hybrid_function {
  static constexpr char const* name = "overlap_hybrid";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};
  static constexpr bool homogeneous = true;
  using options = overlap_hybrid_options;

  double overlap_decay;

  constexpr overlap_hybrid_function(options const& chosen = {}) : overlap_decay(chosen.overlap_decay) {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "overlap_decay", overlap_decay, type);
  }

  template <class Lanes>
  DISTIL_INLINE std::array<summand<Lanes>, 2> at(class_probabilities<Lanes> const& here) const {
    return {kernels::forward_summand(here), kernels::total_variation_summand(here)};
  }
  template <class Lanes>
  DISTIL_INLINE divergence_outcome<Lanes, 2> outcome(std::array<Lanes, 2> const& sums) const {
    auto const [kl, distance] = sums;
    Lanes const weight = exp(Lanes(-overlap_decay) * (Lanes(1) - distance));
    Lanes const rest = Lanes(1) - weight;
    return {zero_safe_product(weight, kl) + rest * distance, {weight, rest}};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Forward KL while teacher and student have little in common, total variation once they overlap.
/// @alias LK hybrid, lk_hybrid_loss
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 [ h KL(p || q) + (1 - h) TV(p, q) ], h = e^(-eta a), eta = overlap_decay, a =
///            sum_i min(p_i, q_i) = 1 - TV(p, q), p = softmax(t / T), q = softmax(z / T) [nats]. Never negative
/// @gradient  w_b / sum w * (h T (q - p) + (1 - h) dTV/dz) with h held constant, as in the source; so is dL/dT
/// @nan       +inf where the teacher gives mass to a class that the student has masked; the gradient is finite
/// @error     `bound`; see `total_variation` for equal probabilities
/// @cost      see `divergence`: 2 exponentials an element
/// @source    Samarin et al. 2026, "LK losses", arXiv:2602.23881; `lk_hybrid_loss` in vLLM's speculators. Its decay by
///            position is a weight of rows: `rows.weights`
/// @example   distil::overlap_hybrid.with_grad(student, teacher, gradient, {.overlap_decay = 3})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<overlap_hybrid_function> overlap_hybrid{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
