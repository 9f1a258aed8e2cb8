#pragma once

#include "distil/feature/maps/element_sums.hpp"

namespace distil {

struct masked_generative_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the sum over channels and positions, divided by the samples, which the published weights of 2e-5
  /// (detection, segmentation) and 7e-5 (classification) assume; NVIDIA's Model Optimizer takes `element_mean`, weight
  /// 1.
  feature_reduction reduce = feature_reduction::sample_mean;

  /// Of samples, or of positions: one number, one per sample, or one per position in the order n, y, x; finite and >=
  /// 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `masked_generative`.
struct masked_generative_loss : pair_loss<masked_generative_loss, masked_generative_options> {
  static constexpr char const* name = "masked_generative";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    masked_generative_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             masked_generative_options const& options) {
    auto const& student = operands.student;
    detail::map_weights const weights(name, options.weights,
                                      {student.samples, student.channels, student.height, student.width});
    detail::map_values const values(name, options.values, options.reduce, weights,
                                    detail::values_of::samples);
    double const factor = weights.factor(options.reduce);
    double const sum = kernels::sum_elements<masked_generative_loss>(
        policy, operands, weights, values, factor, kernels::channels_are::alike, [](index) {
          return [](simd::lanes<T> s, simd::lanes<T> t) -> kernels::element_loss<T> {
            auto const d = s - t;
            return {d * d, d + d};
          };
        });
    return {sum * factor, weights.total()};
  }
};

/// What a generator makes of the student's masked features resembles the teacher's. Mask them by `feature_mask`; the
/// generator (two 3 x 3 convolutions) is the user's network. @alias MGD, ViTKD
///
/// @formula   L = sum_i w_i (g_i - t_i)^2 / samples, g = generator(mask * s)
/// @param     student  the generator's output, a feature map or a matrix
/// @param     teacher  of the same shape
/// @param     gradient of the same shape, dL/dg, from which the generator's backward pass and `feature_mask.pull_back`
///            lead to the student; overwritten or added; may be the student itself, never the teacher
/// @gradient  2 w (g - t) / n
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient
/// @nan       NaN elements make the value NaN and the gradient there alone. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 3 samples of scratch a thread
/// @source    Yang et al. 2022 (MGD), equation 4; mmrazor's mgd_loss. ViTKD's generated layer: weight 3e-6
/// @example   distil::masked_generative.with_grad(generated, teacher, gradient)
inline constexpr masked_generative_loss masked_generative{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
