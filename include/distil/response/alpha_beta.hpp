#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/power_divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `alpha_beta`.
struct alpha_beta_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The power of the teacher's probabilities. Finite. Default 0.2, as in ABKD's instructions for GPT-2.
  double alpha = 0.2;

  /// The power of the student's. Finite, and alpha + beta >= 0. Default 0.7, as in ABKD's instructions for GPT-2.
  double beta = 0.7;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `alpha_beta`.
struct alpha_beta_function : function_of_class<alpha_beta_function> {
  static constexpr char const* name = "alpha_beta";
  static constexpr error_bound bound{.value = 64, .gradient = 256, .temperature_gradient = 4};
  using options = alpha_beta_options;

  power_divergence powers;

  constexpr alpha_beta_function(options const& chosen = {}) : powers{chosen.alpha, chosen.beta} {}

  void check_numbers(char const* where, detail::computing_type type) const {
    double const sum = powers.alpha + powers.beta;
    detail::require_power(where, "alpha", powers.alpha, type, detail::must_be_finite);
    detail::require_power(where, "beta", powers.beta, type, detail::must_be_finite);
    detail::require(sum >= 0.0, where, "alpha + beta", sum, ">= 0");
    detail::require_power(where, "alpha + beta", sum, type, ">= 0");
  }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return powers.at(here);
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Alpha-beta divergence: forward KL at (1, 0), reverse KL at (0, 1), and everything between. alpha says how much the
/// teacher's large probabilities count, beta the student's. @alias ABKD, AB divergence, ab_div
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 D, D = -1 / (a b) sum_i [ p^a q^b - a / (a + b) p^(a+b) - b / (a + b) q^(a+b) ],
///            a = alpha, b = beta, p = softmax(t / T), q = softmax(z / T), and its limits: a = 0, b = 0 or a + b = 0, and
///            1/2 sum (log p - log q)^2 when both are 0. Never negative
/// @gradient  w_b / sum w * T (psi - q sum psi), psi = q^b (q^a - p^a) / a, q^b (log q - log p) at a = 0
/// @nan       a class masked on one side alone costs +inf where the power of that side is <= 0, and the gradient of the row
///            is NaN if the teacher has masked it, or if beta < 0 or both powers are 0; otherwise finite
/// @error     `bound` for powers within [-1, 2], however near the special cases
/// @cost      see `divergence`: 2 exponentials and 1 to 3 more an element
/// @source    Cichocki, Cruces, Amari 2011, equation 19; Wang et al. 2025 (ABKD), arXiv:2505.04560. The script of ABKD for
///            language models is fixed to (0, 1). On the axes and for a + b = 0 ABKD divides once by the power where the
///            limit divides by its square: the same at 1 and at (1, 0) and (0, 1), else its loss is a (or b) times this
/// @example   distil::alpha_beta.with_grad(student, teacher, gradient, {.alpha = 0.5, .beta = 0.5})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<alpha_beta_function> alpha_beta{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
