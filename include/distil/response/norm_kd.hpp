#pragma once

#include "distil/response/forward_kl.hpp"
#include "distil/response/labels/soft_hard_loss.hpp"
#include "distil/response/temperature/moving_temperature.hpp"

namespace distil {

/// Options of `norm_kd`.
struct norm_kd_options {
  /// Multiplies each row's standard deviation, which makes its temperature: one number or one per row; within
  /// [1e-15, 1e15]. Default 2 (Chi et al. 2023).
  row_parameter temperature = 2;

  /// Multiplies the soft term by the square of the teacher's temperature in that row. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the soft term; finite and >= 0. Default 0.9 (Chi et al. 2023).
  double soft_weight = 0.9;

  /// Multiplies the hard term; finite and >= 0. Default 0.1 (Chi et al. 2023).
  double hard_weight = 0.1;

  /// Smooths the labels of the hard term. Default 0.
  double label_smoothing = 0.0;

  /// Whether a row with the ignored label keeps its soft term. Default: it does not.
  ignored_label ignored = ignored_label::whole_row;

  /// Weights, ignored label, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss by `temperature`: one element, or one per row. Overwritten. Default:
  /// nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `norm_kd`.
struct norm_kd_loss : soft_hard_loss<norm_kd_loss, norm_kd_options> {
  static constexpr char const* name = "norm_kd";
  static constexpr error_bound bound{
      .value = 16, .gradient = 32, .temperature_gradient = 4, .temperature_floor = 4};

  template <class Student, class Teacher, class Output>
  static hinton_kd_value evaluate(detail::any_policy policy, Student const& student, Teacher const& teacher,
                                  std::optional<label_view> labels, Output const& output,
                                  norm_kd_options const& options) {
    return soft_and_hard(policy, student, labels, output, options,
                         [&](bool with_gradient, auto const& of_term) {
                           return kernels::soften_rows<kernels::distance_from_mean, row_spread>(
                               name, policy, forward_kl, student, teacher,
                               {of_term.temperature, of_term.scale_by_temperature_squared, false,
                                of_term.rows, of_term.temperature_gradient},
                               with_gradient, soften);
                         });
  }

 private:
  static kernels::row_softening soften(row_spread const& z, row_spread const& t, double temperature) {
    auto const deviation = [](row_spread const& row) { return row.any() ? row.deviation : 1.0; };
    double const of_teacher = temperature * deviation(t);
    double const slope = z.any() ? temperature / (z.count - 1.0) / z.deviation : 0.0;
    return {temperature * deviation(z), of_teacher, of_teacher * of_teacher, z.mean, slope, 0.0};
  }
};

/// Distillation at temperatures that fit each row: proportional to the standard deviation of its logits, the student's
/// and the teacher's each to its own. Labels may be left out. @alias NormKD
///
/// @formula   L = hard_weight * CE(z, y) + soft_weight * S^2 KL(softmax(t / S) || softmax(z / R)), S = T std t, R = T std z,
///            std unbiased (over C - 1), over the classes that are not masked; each term the mean over its rows [nats]
/// @param     student, labels, gradient, rows: as in `hinton_kd`; the gradient may take the student's place
///            Only -inf masks: a finite number that stands for it, such as the lowest, is a logit like others, and takes
///            part in the deviation, which it makes its own. S^2 then magnifies all rounding
/// @param     teacher  [rows, classes] logits
/// @gradient  hard_weight (softmax(z) - e_y) + soft_weight ((S^2 / R) (q - p) + dL/dR T (z - mean z) / ((C - 1) std z))
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = hard_weight + soft_weight * S^2 for the value and hard_weight +
///            soft_weight * S^2 / R for the gradient
/// @nan       as `hinton_kd`. No finite logits are too large for the deviation, but a class further below the largest than
///            the arithmetic type holds has no probability. A row without spread (equal logits, one class; a deviation up
///            to 1e-18) is taken for one of deviation 1, and no gradient goes through it. Temperatures of rows are at
///            least 1e-15, and their factor S^2 at most 1e30 (1e300 in double). Where the loss is +inf, the gradient is
///            that at fixed temperatures
/// @cost      as `standardized(hinton_kd)`, whose loss this is but for the factor: S^2 follows the teacher's logits
/// @source    Chi, Zheng, Li, Yang, Wu, Lin, Cai 2023, NormKD: Normalized Logits for Knowledge Distillation,
///            arXiv:2308.00520. As in their code, gradient flows through the student's deviation
/// @example   distil::norm_kd.with_grad(student, teacher, labels, gradient, {.temperature = 2})
inline constexpr norm_kd_loss norm_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
