#pragma once

#include <optional>

#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil {

/// What an ignored label takes out of `hinton_kd`.
enum class ignored_label {
  whole_row,      ///< the row counts for nothing: padding tokens
  hard_term_only  ///< the teacher still teaches: samples without label
};

/// Options of Hinton's distillation loss.
struct hinton_kd_options {
  /// Softens teacher and student in the soft term: one number or one per row; within [1e-15, 1e15]. Default 4, as
  /// in mdistiller and RepDistiller.
  row_parameter temperature = 4;

  /// Softens the teacher in the place of `temperature`, as in `divergence_options`. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the soft term; finite and >= 0. Default 0.9 (mdistiller, RepDistiller).
  double soft_weight = 0.9;

  /// Multiplies the hard term; finite and >= 0. Default: 1 - soft_weight. Set it where the two are
  /// independent.
  std::optional<double> hard_weight = std::nullopt;

  /// Multiplies the soft term by T^2 (Hinton et al. 2015, section 2). Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the soft term in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

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

/// The weighted sum, and both losses without their weights.
struct hinton_kd_value : loss_value {
  loss_value hard;  ///< cross entropy at temperature 1
  loss_value soft;  ///< divergence, with its factor T^2
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `hinton_kd`.
struct hinton_kd_loss {
  static constexpr char const* name = "hinton_kd";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};
  using options_type = hinton_kd_options;

 private:
  static void check(hinton_kd_options const& options) {
    detail::require(detail::is_weight(options.soft_weight), name, "soft_weight", options.soft_weight,
                    detail::must_be_weight);
  }
  static void check_with_labels(hinton_kd_options const& options) {
    check(options);
    double const hard = hard_weight(options);
    detail::require(detail::is_weight(hard), name, "hard_weight", hard,
                    options.hard_weight ? detail::must_be_weight
                                        : "finite and >= 0 (set it when soft_weight is above 1)");
  }

  static double hard_weight(hinton_kd_options const& options) {
    return options.hard_weight.value_or(1.0 - options.soft_weight);
  }

  static objective_options whole(hinton_kd_options const& options) {
    return {.accumulate = options.accumulate, .values = options.rows.values};
  }

  static row_options rows_of_a_term(hinton_kd_options const& options) {
    row_options rows = options.rows;
    rows.values = {};
    return rows;
  }

  static auto hard(label_view labels, hinton_kd_options const& options) {
    return detail::weighed("hard_weight", hard_weight(options),
                           distil::cross_entropy.term(labels, {.label_smoothing = options.label_smoothing,
                                                               .rows = rows_of_a_term(options)}));
  }

  template <class Teacher>
  static auto soft(Teacher const& teacher, hinton_kd_options const& options, label_view labels = {}) {
    auto term = distil::forward_kl.term(
        teacher, {.temperature = options.temperature,
                  .teacher_temperature = options.teacher_temperature,
                  .scale_by_temperature_squared = options.scale_by_temperature_squared,
                  .factor = options.factor,
                  .rows = rows_of_a_term(options),
                  .temperature_gradient = options.temperature_gradient,
                  .teacher_temperature_gradient = options.teacher_temperature_gradient});
    if (options.ignored == ignored_label::whole_row) term.labels_of_loss = labels;
    return detail::weighed("soft_weight", options.soft_weight, term);
  }

  static hinton_kd_value both(objective_value<2> const& value) {
    return {value, value.terms[0], value.terms[1]};
  }
  static hinton_kd_value soft_only(objective_value<1> const& value) { return {value, {}, value.terms[0]}; }

 public:
  template <matrix_argument Student, class Teacher>
  [[nodiscard]] hinton_kd_value operator()(Student const& student, Teacher const& teacher,
                                           hinton_kd_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] hinton_kd_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                           hinton_kd_options const& options = {}) const {
    check(options);
    return soft_only(simd::evaluate(name, policy, student, whole(options), soft(teacher, options)));
  }

  template <matrix_argument Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] hinton_kd_value operator()(Student const& student, Teacher const& teacher,
                                           Labels const& labels,
                                           hinton_kd_options const& options = {}) const {
    return (*this)(serial, student, teacher, labels, options);
  }

  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] hinton_kd_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                           Labels const& labels,
                                           hinton_kd_options const& options = {}) const {
    check_with_labels(options);
    return both(simd::evaluate(name, policy, student, whole(options), hard(labels, options),
                               soft(teacher, options, labels)));
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  hinton_kd_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                            hinton_kd_options const& options = {}) const {
    return with_grad(serial, student, teacher, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  hinton_kd_value with_grad(Policy policy, Student const& student, Teacher const& teacher,
                            Gradient&& gradient, hinton_kd_options const& options = {}) const {
    check(options);
    return soft_only(simd::evaluate_with_gradient(name, policy, student, std::forward<Gradient>(gradient),
                                                  whole(options), soft(teacher, options)));
  }

  template <matrix_argument Student, class Teacher, detail::labels_like Labels, class Gradient>
  hinton_kd_value with_grad(Student const& student, Teacher const& teacher, Labels const& labels,
                            Gradient&& gradient, hinton_kd_options const& options = {}) const {
    return with_grad(serial, student, teacher, labels, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels, class Gradient>
  hinton_kd_value with_grad(Policy policy, Student const& student, Teacher const& teacher,
                            Labels const& labels, Gradient&& gradient,
                            hinton_kd_options const& options = {}) const {
    check_with_labels(options);
    return both(simd::evaluate_with_gradient(name, policy, student, std::forward<Gradient>(gradient),
                                             whole(options), hard(labels, options),
                                             soft(teacher, options, labels)));
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
/// @error     `hinton_kd_loss::bound`, with f = hard_weight + soft_weight * T^2 for the value and hard_weight
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
