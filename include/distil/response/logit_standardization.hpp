#pragma once

#include "distil/response/moving_temperature.hpp"
#include "distil/response/soft_hard_loss.hpp"
#include "distil/response/standardized_rows.hpp"

namespace distil {

/// Options of a standardized divergence.
struct standardization_options {
  /// Divides the standardized logits: one number or one per row; within [1e-15, 1e15]. Default 2 (Sun et al. 2024).
  row_parameter temperature = 2;

  /// Added to the standard deviation; finite and >= 0. Default 1e-7 (Sun et al. 2024).
  double epsilon = 1e-7;

  /// Multiplies the loss by `temperature` squared. Default true.
  bool scale_by_temperature_squared = true;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss by `temperature`: one element, or one per row. Overwritten. Default:
  /// nowhere.
  std::span<double> temperature_gradient = {};
};

/// Options of standardized `hinton_kd`.
struct standardized_kd_options {
  /// As above, of the soft term.
  row_parameter temperature = 2;
  double epsilon = 1e-7;

  /// Multiplies the soft term; finite and >= 0. Default 9 (Sun et al. 2024, with temperature 2).
  double soft_weight = 9.0;

  /// Multiplies the hard term; finite and >= 0. Default 0.1 (Sun et al. 2024).
  double hard_weight = 0.1;

  /// Multiplies the soft term by `temperature` squared. Default true.
  bool scale_by_temperature_squared = true;

  /// Smooths the labels of the hard term. Default 0.
  double label_smoothing = 0.0;

  /// Whether a row with the ignored label keeps its soft term. Default: it does not.
  ignored_label ignored = ignored_label::whole_row;

  /// Weights, ignored label, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// As above.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// softmax((z - mean) / (deviation + epsilon) / B) is softmax(z / S) with S = B (deviation + epsilon).
template <class Function, class Policy, class Student, class Teacher, class Options>
auto standardized_term(char const* where, Policy policy, divergence<Function> const& loss,
                       Student const& student, Teacher const& teacher, Options const& options,
                       bool with_gradient) {
  detail::require(detail::is_weight(options.epsilon), where, "epsilon", options.epsilon,
                  detail::must_be_weight);
  return soften_rows<distance_from_mean, row_spread>(
      where, policy, loss, student, teacher,
      {options.temperature, options.scale_by_temperature_squared, false, options.rows,
       options.temperature_gradient},
      with_gradient,
      [epsilon = options.epsilon](row_spread const& z, row_spread const& t, double base) -> row_softening {
        auto const size = [&](row_spread const& row) { return row.any() ? row.deviation + epsilon : 1.0; };
        double const slope = z.any() ? base / ((z.count - 1.0) * z.deviation) : 0.0;
        return {base * size(z), base * size(t), base * base, z.mean, slope, 0.0};
      });
}

}  // namespace kernels

/// See `standardized`.
template <class Function>
struct standardized_divergence {
  static constexpr char const* name = "logit_standardization";
  static constexpr error_bound bound{
      .value = 16, .gradient = 32, .temperature_gradient = 4, .temperature_floor = 4};

  divergence<Function> loss = {};

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher,
                                      standardization_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      standardization_options const& options = {}) const {
    auto const term = kernels::standardized_term(name, policy, loss, student, teacher, options, false);
    return simd::evaluate(name, policy, student, {}, term);
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                       standardization_options const& options = {}) const {
    return with_grad(serial, student, teacher, gradient, options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                       standardization_options const& options = {}) const {
    auto const term = kernels::standardized_term(name, policy, loss, student, teacher, options, true);
    return simd::evaluate_with_gradient(name, policy, student, gradient, {.accumulate = options.accumulate},
                                        term);
  }
};

/// See `standardized`.
struct standardized_kd_loss : soft_hard_loss<standardized_kd_loss, standardized_kd_options> {
  static constexpr char const* name = "logit_standardization";
  static constexpr error_bound bound{
      .value = 16, .gradient = 32, .temperature_gradient = 4, .temperature_floor = 4};

  template <class Policy, class Student, class Teacher, class Gradient>
  static hinton_kd_value evaluate(Policy policy, Student const& student, Teacher const& teacher,
                                  std::optional<label_view> labels, Gradient& gradient,
                                  standardized_kd_options const& options) {
    return soft_and_hard(policy, student, labels, gradient, options,
                         [&](bool with_gradient, auto const& of_term) {
                           return kernels::standardized_term(name, policy, forward_kl, student, teacher,
                                                             of_term, with_gradient);
                         });
  }
};

/// See `standardized`: any other loss, of standardized copies.
template <class Loss>
struct standardized_loss {
  static constexpr char const* name = "logit_standardization";
  using options = typename Loss::options_type;

  Loss loss = {};
  double epsilon = 1e-7;

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] auto operator()(Student const& student, Teacher const& teacher,
                                options const& chosen = {}) const {
    return value(serial, student, teacher, chosen);
  }
  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] auto operator()(Policy policy, Student const& student, Teacher const& teacher,
                                options const& chosen = {}) const {
    return value(policy, student, teacher, chosen);
  }
  template <matrix_argument Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] auto operator()(Student const& student, Teacher const& teacher, Labels const& labels,
                                options const& chosen = {}) const {
    return value(serial, student, teacher, chosen, labels);
  }
  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] auto operator()(Policy policy, Student const& student, Teacher const& teacher,
                                Labels const& labels, options const& chosen = {}) const {
    return value(policy, student, teacher, chosen, labels);
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  auto with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                 options const& chosen = {}) const {
    return descend(serial, student, teacher, gradient, chosen);
  }
  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  auto with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                 options const& chosen = {}) const {
    return descend(policy, student, teacher, gradient, chosen);
  }
  template <matrix_argument Student, class Teacher, detail::labels_like Labels, class Gradient>
  auto with_grad(Student const& student, Teacher const& teacher, Labels const& labels, Gradient&& gradient,
                 options const& chosen = {}) const {
    return descend(serial, student, teacher, gradient, chosen, labels);
  }
  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels, class Gradient>
  auto with_grad(Policy policy, Student const& student, Teacher const& teacher, Labels const& labels,
                 Gradient&& gradient, options const& chosen = {}) const {
    return descend(policy, student, teacher, gradient, chosen, labels);
  }

 private:
  template <class Policy, class Student, class Teacher>
  auto rows_of(Policy policy, Student const& student, Teacher const& teacher, bool with_gradient) const {
    static_assert(
        !requires { teacher.captured_at; },
        "distil: temperatures of the rows are found from the teacher's logits");
    auto const z = detail::input_view(student);
    auto const t = detail::input_view(teacher);
    using of_student = arithmetic_t<std::remove_const_t<typename decltype(z)::element>>;
    using of_teacher = arithmetic_t<std::remove_const_t<typename decltype(t)::element>>;
    return kernels::standardized_rows<std::common_type_t<of_student, of_teacher>>(name, policy, z, t, epsilon,
                                                                                  with_gradient);
  }
  template <class Policy, class Student, class Teacher, class... Labels>
  auto value(Policy policy, Student const& student, Teacher const& teacher, options const& chosen,
             Labels const&... labels) const {
    auto const rows = rows_of(policy, student, teacher, false);
    return loss(policy, rows.student, rows.teacher, labels..., chosen);
  }
  template <class Policy, class Student, class Teacher, class Gradient, class... Labels>
  auto descend(Policy policy, Student const& student, Teacher const& teacher, Gradient& gradient,
               options const& chosen, Labels const&... labels) const {
    auto const z = detail::input_view(student);
    auto const output = detail::output_view(gradient);
    detail::require_shape(name, "gradient", output, z.rows, z.columns);
    detail::require_apart(name, output, "teacher", detail::input_view(teacher));
    detail::require_distinct_elements(name, output);
    detail::require_writable_over_student(name, output, z);
    auto const rows = rows_of(policy, student, teacher, true);
    options of_rows = chosen;
    of_rows.accumulate = false;
    auto const result = loss.with_grad(policy, rows.student, rows.teacher, labels..., rows.upstream, of_rows);
    if (z.rows > 0) rows.pull_back(policy, output, chosen.accumulate);
    return result;
  }
};

/// Logit standardization: a divergence, or `hinton_kd`, between rows of logits that have mean 0 and standard deviation 1,
/// so that the student learns the teacher's ranking and not the size of its logits. @alias LSKD, logit standardisation,
/// Z-score
///
/// @formula   L = (1 / sum w) * sum_b w_b T^2 D(softmax(t' / T), softmax(z' / T)), z' = (z - mean z) / (std z + epsilon),
///            std unbiased (over C - 1), over the classes that are not masked; t' alike [nats]. The hard term of
///            `hinton_kd` stays at the logits themselves. Since softmax does not see the mean, this is D at the
///            temperatures T (std z + epsilon) and T (std t + epsilon)
/// @param     student, gradient, rows: as in `divergence`; the gradient may take the student's place
/// @param     teacher  [rows, classes] logits. Logarithms of probabilities at any temperature are as good
/// @gradient  dL/dz at fixed temperatures, plus dL/dS * T (z - mean z) / ((C - 1) std z), S the student's temperature
/// @throws    std::invalid_argument as `divergence`, and for an epsilon that is not finite and >= 0
/// @error     `bound`, with f / S, S the row's temperature, in the place of f / T
/// @nan       as `divergence`. A row without spread (equal logits, one class; a deviation up to 1e-18) is standardized by 1
///            instead: z' = 0, its softmax is uniform, and no gradient goes through its deviation. Temperatures of rows
///            stay within [1e-15, 1e15]. Where the loss is +inf, the gradient is that at fixed temperatures
/// @cost      two reads of each side for the deviations, then as the divergence with one more read of both; memory of
///            96 bytes a row, kept by the thread
///
/// Any other loss of student and teacher, with labels or without, is taken of standardized copies of both, in memory of
/// two or three numbers an element that the thread keeps, and its gradient is pulled back. It is called with its own
/// options, whose temperature has its own default: the paper has 2 for `decoupled_kd` too. Labels then meet the
/// standardized logits as well; a term of them on the logits themselves is a loss beside it.
///
/// @source    Sun, Ren, Li, Wang, Cao 2024, Logit Standardization in Knowledge Distillation, arXiv:2403.01427. Weights
///            must be tuned again: the gradient is of the size of z', not z. Their CTKD variant leaves epsilon out
/// @example   distil::standardized(distil::forward_kl).with_grad(student, teacher, gradient, {.temperature = 2})
///            distil::standardized(distil::hinton_kd).with_grad(student, teacher, labels, gradient);
///            distil::standardized(distil::decoupled_kd).with_grad(student, teacher, labels, gradient,
///            {.temperature = 2})
template <class Function>
[[nodiscard]] constexpr standardized_divergence<Function> standardized(divergence<Function> const& loss) {
  return {loss};
}
[[nodiscard]] constexpr standardized_kd_loss standardized(hinton_kd_loss const&) { return {}; }

template <class Loss>
requires requires { typename Loss::options_type; }
[[nodiscard]] constexpr standardized_loss<Loss> standardized(Loss const& loss, double epsilon = 1e-7) {
  return {loss, epsilon};
}

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
