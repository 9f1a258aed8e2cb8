#pragma once

#include <cmath>

#include "distil/feature/maps/element_sums.hpp"

namespace distil {

struct activation_boundaries_options {
  /// How far from zero the student's activations are to be, on the teacher's side; finite and >= 0. Default 1, as
  /// published.
  double margin = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the sum over channels and positions, divided by the samples.
  feature_reduction reduce = feature_reduction::sample_mean;

  /// Divides value and gradient; finite and > 0. Default 1. RepDistiller: 1000 / 3 for the last layer, twice as much
  /// for each one before it; mmrazor: 1000 / 3 for every layer.
  double divisor = 1.0;

  /// Of samples, or of positions; finite and >= 0, see `hint_options`. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `activation_boundaries`.
struct activation_boundaries_loss : pair_loss<activation_boundaries_loss, activation_boundaries_options> {
  static constexpr char const* name = "activation_boundaries";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    activation_boundaries_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
  }
  static void check_numbers(activation_boundaries_options const& options, detail::computing_type type) {
    detail::require_factor(name, "margin", options.margin, type);
    detail::require_bounded(name, "margin", options.margin, type, "margin^2", options.margin * options.margin,
                            detail::must_be_weight);
    detail::require_divisor(name, "divisor", options.divisor, type);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             activation_boundaries_options const& options) {
    auto const& student = operands.student;
    detail::map_weights const weights(name, options.weights,
                                      {student.samples, student.channels, student.height, student.width});
    detail::map_values const values(name, options.values, options.reduce, weights, detail::values_of::samples,
                                    options.divisor);
    double const factor = weights.factor(options.reduce) / options.divisor;
    using lanes = simd::lanes<T>;
    lanes const margin(static_cast<T>(options.margin));
    double const sum = kernels::sum_elements<activation_boundaries_loss>(
        policy, operands, weights, values, factor, kernels::channels_are::alike, [&](index) {
          return [&](lanes s, lanes t) -> kernels::element_loss<T> {
            auto const active = t > lanes(0);
            lanes const past = select(active, margin - s, select(t <= lanes(0), s + margin, t));
            lanes const error = select(past <= lanes(0), lanes(0), past);
            return {error * error, select(active, -(error + error), error + error)};
          };
        });
    return {sum * factor, weights.total()};
  }
};

/// The student's neurons are active where the teacher's are, by a margin. For features before the activation. @alias AB
///
/// @formula   L = sum_i w_i (max(0, s_i + margin)^2 where t_i <= 0, max(0, margin - s_i)^2 where t_i > 0) / samples
/// @param     student  feature map or matrix, before the activation
/// @param     teacher  of the student's shape, before the activation
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  2 (s + margin) or 2 (s - margin) where the error is not 0, times w / n
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest 2 (|s| + margin) w / n for the
///            gradient
/// @nan       NaN elements make the value NaN and the gradient there alone. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 3 samples of scratch a thread
/// @source    Heo et al. 2019 (Knowledge transfer via distillation of activation boundaries), equation 8;
///            Knowledge-Distillation-Zoo takes the mean over elements
/// @example   distil::activation_boundaries.with_grad(student, teacher, gradient)
inline constexpr activation_boundaries_loss activation_boundaries{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
