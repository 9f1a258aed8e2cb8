#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `jeffreys`.
struct jeffreys_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// Multiplies KL(teacher || student); 1 - forward_weight multiplies KL(student || teacher). Within [0, 1]. Default 0.5:
  /// half of Jeffreys' symmetric sum, and torchtune's `sym_kd_ratio`.
  double forward_weight = 0.5;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `jeffreys`.
struct jeffreys_function : function_of_class<jeffreys_function> {
  static constexpr char const* name = "jeffreys";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};
  using options = jeffreys_options;

  double forward_weight;

  constexpr jeffreys_function(options const& chosen = {}) : forward_weight(chosen.forward_weight) {}

  void check(char const* where) const {
    detail::require(detail::is_share(forward_weight), where, "forward_weight", forward_weight,
                    detail::must_be_share);
  }

  [[nodiscard]] constexpr distil::kl_weights kl_weights() const {
    return {.forward = forward_weight, .reverse = 1.0 - forward_weight};
  }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    Lanes const forward(forward_weight), reverse(1.0 - forward_weight);
    auto const f = kernels::forward_summand(here);
    auto const r = kernels::reverse_summand(here);
    return {zero_safe_product(forward, f.value) + zero_safe_product(reverse, r.value),
            fma(forward, f.d_log_q, zero_safe_product(reverse, r.d_log_q)),
            fma(reverse, r.d_log_p, zero_safe_product(forward, f.d_log_p))};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// A mean of both Kullback-Leibler divergences. @alias symmetric KL, J divergence, SymmetricKLLoss, mixed KL, bdkd
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 [ f KL(p || q) + (1 - f) KL(q || p) ], f = forward_weight, p =
///            softmax(t / T), q = softmax(z / T) [nats]. Never negative
/// @gradient  w_b / sum w * T [ f (q - p) + (1 - f) q (log q - log p - KL(q || p)) ]
/// @nan       +inf where one side gives mass to a class that the other has masked and the KL that notices has a weight; the
///            gradient of such a row is NaN where it is the teacher that has masked it (see `reverse_kl`), and finite
///            otherwise
/// @error     `bound`
/// @cost      one read of student and teacher, another for the gradient and one write, 2 exponentials an element; one read
///            more for a row whose divergence is under 2^-6 nats (2^-20 in double) and for a gradient of the temperature; 2
///            numbers of scratch a class
/// @source    Jeffreys 1946, whose divergence is the sum of both, that is twice this one at 0.5. Who owns the weight
///            differs: torchtune's `sym_kd_ratio` (0.5) and NeMo RL's `mixed_kl_weight` (0.5) multiply KL(p || q) as here;
///            DistiLLM's `lam` (0.9) and EasyDeL's gamma multiply KL(q || p): say `.forward_weight = 1 - lam`. The values of
///            torchtune and DistiLLM lack the teacher's entropy, f times; their gradients are these
/// @example   distil::jeffreys.with_grad(student, teacher, gradient, {.temperature = 2, .forward_weight = 0.3})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<jeffreys_function> jeffreys{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
