#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/power_divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `amari_alpha`.
struct amari_alpha_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The power of the teacher's probabilities, 1 - alpha being that of the student's: 1 is `forward_kl`, 0 `reverse_kl`,
  /// 0.5 four times the squared Hellinger distance, 2 half of chi squared. Finite. Default 0.5.
  double alpha = 0.5;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `amari_alpha`.
struct amari_alpha_function : function_of_class<amari_alpha_function> {
  static constexpr char const* name = "amari_alpha";
  static constexpr error_bound bound{
      .value = 64, .gradient = 64, .temperature_gradient = 4, .temperature_floor = 12};
  using options = amari_alpha_options;

  power_divergence powers;

  constexpr amari_alpha_function(options const& chosen = {}) : powers{chosen.alpha, 1.0 - chosen.alpha} {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_power(where, "alpha", powers.alpha, type, detail::must_be_finite);
  }

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return powers.at(here);
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Amari's alpha divergence: forward KL at 1, reverse KL at 0. @alias alpha divergence, AlphaNet, Tsallis relative entropy
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 (Z - 1) / (a (a - 1)), Z = sum_i p_i^a q_i^(1-a), a = alpha, p = softmax(t / T), q =
///            softmax(z / T), and the Kullback-Leibler divergences at a = 1 and 0. Never negative
/// @gradient  w_b / sum w * T Z (q - w) / a, w = p^a q^(1-a) / Z, and its limits
/// @nan       +inf where Z is beyond the range of numbers, such as for alpha >= 1 where the student alone has masked a class,
///            for alpha <= 0 where the teacher has; the gradient of such a row is NaN
/// @error     `bound` for alpha within [-1, 2], however near 0 and 1
/// @cost      see `divergence`: 3 exponentials an element
/// @source    Amari 1985; Wang et al. 2021 (AlphaNet), arXiv:2102.07954, section 3, which clips (p / q)^a at 1e3 and takes
///            the larger of the losses with alpha -1 and 1: that is `adaptive_alpha`
/// @example   distil::amari_alpha.with_grad(student, teacher, gradient, {.alpha = 0.3})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<amari_alpha_function> amari_alpha{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
