#pragma once

#include "distil/response/forward_kl.hpp"
#include "distil/response/labels/soft_hard_loss.hpp"

namespace distil {

/// Options of Hinton's distillation loss.
struct hinton_kd_options {
  /// Softens teacher and student in the soft term: one number or one per row; within [1e-15, 1e15]. Default 4, as
  /// in mdistiller and RepDistiller.
  row_parameter temperature = 4;

  /// Softens the teacher in the place of `temperature`, as in `divergence_options`. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the soft term by T^2 (Hinton et al. 2015, section 2). Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the soft term in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// Multiplies the soft term; finite and >= 0. Default 0.9 (mdistiller, RepDistiller).
  double soft_weight = 0.9;

  /// Multiplies the hard term; finite and >= 0. Default: 1 - soft_weight. Set it where the two are
  /// independent.
  std::optional<double> hard_weight = std::nullopt;

  /// Smooths the labels of the hard term, as in `cross_entropy`. Default 0.
  double label_smoothing = 0.0;

  /// Whether a row with the ignored label keeps its soft term. Default: it does not.
  ignored_label ignored = ignored_label::whole_row;

  /// Weights, ignored label, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `hinton_kd`.
struct hinton_kd_loss : soft_hard_loss<hinton_kd_loss, hinton_kd_options> {
  static constexpr char const* name = "hinton_kd";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};

  template <class Student, class Teacher, class Output>
  static hinton_kd_value evaluate(detail::any_policy policy, Student const& student, Teacher const& teacher,
                                  std::optional<label_view> labels, Output const& output,
                                  hinton_kd_options const& options) {
    return soft_and_hard(
        policy, student, labels, output, options, [&](bool, hinton_kd_options const& of_term) {
          return forward_kl.term(teacher,
                                 {.temperature = of_term.temperature,
                                  .teacher_temperature = of_term.teacher_temperature,
                                  .scale_by_temperature_squared = of_term.scale_by_temperature_squared,
                                  .factor = of_term.factor,
                                  .rows = of_term.rows,
                                  .temperature_gradient = of_term.temperature_gradient,
                                  .teacher_temperature_gradient = of_term.teacher_temperature_gradient});
        });
  }
};

/// Hinton's knowledge distillation: cross entropy with the labels and T^2 KL(teacher || student) in one fused
/// sweep. Labels may be left out; the soft term then stands alone, with its weight. @alias KD, Hinton KD,
/// vanilla KD
///
/// @formula   L = hard_weight * CE(z, y) + soft_weight * T^2 KL(softmax(t / T) || softmax(z / T)), each term
///            the mean over its rows; the hard term is at temperature 1 [nats]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing, or with
///            `ignored_label::hard_term_only` keeps its soft term
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  hard_weight (softmax(z) - e_y) + soft_weight T (softmax(z / T) - softmax(t / T)), each by its
///            divisor
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = hard_weight + soft_weight * T^2 for the value and hard_weight
///            + soft_weight * T for the gradient
/// @nan       a NaN or +inf logit on either side makes the loss and gradient of its row NaN (masked classes
///            may get 0), no other's; a term of weight 0 is absent, whatever it holds
/// @cost      one read of student and teacher and one write, 3 exponentials an element, or 2 at a temperature of
///            1, 2, 3 or 4, since e^z = (e^(z/T))^T; 3 numbers of scratch a class, kept by the thread; one read
///            more for a gradient of the temperature
/// @source    Hinton, Vinyals, Dean 2015, arXiv:1503.02531. What alpha multiplies differs between libraries:
///            torchdistill weights the hard term with it, timm and MaxText the soft one; here both have their
///            names
/// @example   distil::hinton_kd.with_grad(student, teacher, labels, gradient, {.temperature = 4.0F,
///            .soft_weight = 0.7})
inline constexpr hinton_kd_loss hinton_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
