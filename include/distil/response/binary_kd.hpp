#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "distil/response/binary/divergence_kernel.hpp"
#include "distil/response/binary_cross_entropy.hpp"
#include "distil/response/labels/soft_hard_loss.hpp"
#include "distil/response/teacher/softened_term.hpp"

namespace distil {

/// What an ignored target takes out of `binary_kd`.
enum class ignored_target {
  whole_element,  ///< the element counts for nothing: pixels that nobody has annotated for good reasons
  hard_term_only  ///< the teacher still teaches: labels that are not known
};

/// Options of the distillation of independent sigmoids.
struct binary_kd_options {
  /// Softens teacher and student in the soft term: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Softens the teacher in the place of `temperature`, as in `divergence_options`. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the soft term by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the soft term in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// Multiplies the positive outcome in the hard term, as in `binary_cross_entropy`. Default 1.
  class_parameter positive_weight = 1;

  /// Moves the targets of the hard term towards 1/2, as in `binary_cross_entropy`. Default 0.
  double label_smoothing = 0.0;

  /// What a row is, and what a mean divides by, in either term. Default mean over the elements that count, as in
  /// PyTorch.
  over_elements elements = over_elements::mean;

  /// Multiplies both terms of each element, as in `binary_cross_entropy`. Default: none.
  number_matrix element_weights = {};

  /// Whether an element with the ignored target keeps its soft term. Default: it does not.
  ignored_target ignored = ignored_target::whole_element;

  /// Multiplies the soft term; finite and >= 0. Default 0.9, as in `hinton_kd`.
  double soft_weight = 0.9;

  /// Multiplies the hard term; finite and >= 0. Default: 1 - soft_weight. Set it where the two are independent.
  std::optional<double> hard_weight = std::nullopt;

  /// Weights, ignored target, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// The soft term of `binary_kd` as a term of a sum.
template <class Storage, teacher_form Form>
struct binary_divergence_term : detail::dense_term<Storage, Form, element_term<detail::softened_term>> {
  using elements_of = element_term<detail::softened_term>;
  using base = detail::dense_term<Storage, Form, elements_of>;
  static constexpr teacher_form form = Form;
  static_assert(
      Form != teacher_form::log_probabilities,
      "distil: binary_kd takes a teacher's logits or probabilities; of log sigmoid(t) pass t itself");
  template <class T>
  using kernel = kernels::binary_divergence_kernel<T>;

  binary_divergence_term(dense_teacher<Storage, Form> const& the_teacher, number_matrix const& the_targets,
                         binary_kd_options const& options)
      : base(elements_of(detail::softened_term(options), options.elements, the_targets,
                         options.element_weights, options.ignored == ignored_target::whole_element),
             the_teacher) {}

  void check(char const* where, index row_count, index columns) const {
    this->check_teacher(where, row_count, columns);
    this->check_elements(where, row_count, columns);
    this->check_temperature(where, row_count);
    this->check_softening(where, this->teacher.moves(), row_count);
    this->check_rows(where, row_count);
  }
  void check_numbers(char const* where, detail::computing_type type) const {
    this->check_factors(where, type);
  }
  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    base::check_apart(where, gradient);
    this->check_elements_apart(where, gradient);
  }

  void inspect(char const* where, index row_count, index /*columns*/) const {
    this->inspect_temperature(where);
    this->inspect_softening(where);
    this->inspect_rows(where);
    if (this->ignores) this->inspect_targets(where, row_count);
    this->inspect_element_weights(where, row_count);
  }

  [[nodiscard]] bool alike() const {
    return !this->some_row_is_absent(this->teacher.matrix.rows) && elements_of::alike();
  }
  [[nodiscard]] detail::row_weight weigh(bool /*student_is_masked*/, index row) const {
    return this->with_factor(this->weigh_elements(row, this->teacher.matrix.columns), row);
  }

  /// Nothing of the soft term is said row by row.
  [[nodiscard]] bool can_be_cut(index row_count) const {
    auto const by_row = [](std::optional<row_parameter> const& parameter) {
      return parameter && parameter->per_row();
    };
    return detail::is_column_of(detail::matrix_extent(this->teacher.matrix), row_count) &&
           !this->temperature.per_row() && !by_row(this->teacher_temperature) && !by_row(this->factor) &&
           !by_row(this->teacher.captured_at) && this->temperature_gradient.size() <= 1 &&
           this->teacher_temperature_gradient.size() <= 1;
  }

  /// The term of a column of elements as rows of so many.
  [[nodiscard]] binary_divergence_term in_rows_of(index length) const {
    binary_divergence_term result = *this;
    result.width = length;
    result.elements = over_elements::mean;
    result.targets = this->targets.column_in_rows_of(length);
    result.element_weights = this->element_weights.column_in_rows_of(length);
    result.teacher.matrix = detail::column_in_rows_of(length, this->teacher.matrix);
    return result;
  }
};

/// See `binary_kd`.
struct binary_kd_loss : detail::labels_optional_face<binary_kd_loss, binary_kd_options, hinton_kd_value,
                                                     detail::element_targets>,
                        soft_hard_sum<binary_kd_loss, binary_kd_options, hinton_kd_value> {
  static constexpr char const* name = "binary_kd";
  static constexpr error_bound bound{
      .value = 16, .gradient = 8, .temperature_gradient = 8, .temperature_floor = 8};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static hinton_kd_value evaluate(detail::any_policy policy, Student const& student,
                                                Teacher const& teacher, Output const& output,
                                                binary_kd_options const& options) {
    auto const soft = soft_term(teacher, {}, options);
    return run(policy, detail::input_rows(student), output, options, soft);
  }
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static hinton_kd_value evaluate(detail::any_policy policy, Student const& student,
                                                Teacher const& teacher, number_matrix const& targets,
                                                Output const& output, binary_kd_options const& options) {
    require_hard_weight(options);
    auto const soft = soft_term(teacher, targets, options);
    binary_cross_entropy_term const hard(targets, {.positive_weight = options.positive_weight,
                                                   .label_smoothing = options.label_smoothing,
                                                   .elements = options.elements,
                                                   .element_weights = options.element_weights,
                                                   .rows = rows_of_a_term(options)});
    return run(policy, detail::input_rows(student), output, options, soft,
               detail::weighed("hard_weight", hard_weight(options), hard));
  }

  /// The soft term, with its weight, as a term of `fuse`; the hard one is `binary_cross_entropy.term`.
  template <class Teacher>
  [[nodiscard]] auto term(Teacher const& teacher, binary_kd_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    require_weight("soft_weight", options.soft_weight);
    return detail::weighed("soft_weight", options.soft_weight, make_term(teacher, {}, options));
  }

 private:
  template <class Teacher>
  static auto soft_term(Teacher const& teacher, number_matrix const& targets,
                        binary_kd_options const& options) {
    require_weight("soft_weight", options.soft_weight);
    detail::require(
        options.ignored == ignored_target::whole_element || options.ignored == ignored_target::hard_term_only,
        name, "ignored", static_cast<int>(options.ignored), "a value of ignored_target");
    binary_kd_options of_term = options;
    of_term.rows = rows_of_a_term(options);
    return detail::weighed("soft_weight", options.soft_weight, make_term(teacher, targets, of_term));
  }

  template <class Teacher>
  static auto make_term(Teacher const& teacher, number_matrix const& targets,
                        binary_kd_options const& options) {
    if constexpr (detail::direct_access<Teacher const>) {  // a column, too
      return binary_divergence_term(detail::as_teacher(detail::input_rows(teacher)), targets, options);
    } else {
      return binary_divergence_term(detail::as_teacher(teacher), targets, options);
    }
  }

  template <class Student, class Output, class Soft, class... Hard>
  static hinton_kd_value run(detail::any_policy policy, Student const& student, Output const& output,
                             binary_kd_options const& options, Soft const& soft, Hard const&... hard) {
    index const width = options.rows.values.empty()
                            ? std::min({detail::width_of_column(student, output, soft),
                                        detail::width_of_column(student, output, hard)...})
                            : 0;
    if (width == 0) return value_of(sum(policy, student, output, options, hard..., soft));
    return value_of(sum(policy, detail::column_in_rows_of(width, student),
                        detail::column_in_rows_of(width, output), options, hard.in_rows_of(width)...,
                        soft.in_rows_of(width)));
  }

  static hinton_kd_value value_of(objective_value<1> const& value) { return {value, {}, value.terms[0]}; }
  static hinton_kd_value value_of(objective_value<2> const& value) {
    return {value, value.terms[0], value.terms[1]};
  }
};

/// Distillation of independent sigmoids: binary cross entropy with the targets and T^2 KL(teacher || student) of each
/// element's two outcomes, in one fused sweep. Targets may be left out; the soft term then stands alone, with its
/// weight. For multi-label heads, detectors, and masks of one channel. @alias binary KD, multi-label KD, sigmoid
/// distillation, BCKD
///
/// @formula   L = hard_weight * BCE(z, y) + soft_weight * T^2 KL(Bern(sigmoid(t / T)) || Bern(sigmoid(z / T))), each
///            term the mean over its elements that count (see `over_elements`); the hard term is at temperature 1
///            [nats]
/// @param     student  [rows, classes] logits; a column, too: a mask of one channel
/// @param     teacher  [rows, classes] logits, or `probabilities(matrix)`: sigmoids, taken as they are, which move
///            with T where they say what they were captured at
/// @param     targets  as in `binary_cross_entropy`; an ignored one leaves its element out of both terms, or with
///            `ignored_target::hard_term_only` of the hard one
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never another argument
/// @gradient  hard_weight ((1 - y) sigmoid(z) - w+ y sigmoid(-z)) + soft_weight T (sigmoid(z / T) - sigmoid(t / T)),
///            each by its divisor and the element's weight
/// @throws    std::invalid_argument when a shape, option, weight or target is refused; nothing is written then
/// @error     of the soft term `bound`, relative to each element alone, however small: `value` and `gradient` to its
///            KL and its slope, times 1 + (|z| + |t|) / T. Of probabilities, and with a `teacher_temperature`, z / T
///            - t / T' is known to an epsilon of its parts. With f = T^2 or 1, dL/dT to `temperature_gradient` times
///            2 |L| + f sum (|q - p| |z| + p (1 - p) |z - t| |t| / T) / T, and f times `temperature_floor` more. The
///            hard term: see `binary_cross_entropy`
/// @nan       a NaN makes the loss and gradient of its row NaN, no other's. Infinite logits are those of the
///            probabilities 0 and 1, and mask nothing: a student that has one has loss +inf where its teacher has
///            another probability, else 0; a teacher's are as good as others. What a float cannot hold of a
///            probability is 0. A term of weight 0 is absent, whatever it holds
/// @cost      one read of student, teacher and targets and one write; the soft term 2 exponentials and 1 logarithm an
///            element, the hard one 1 and 1, and a read of its targets before, two where elements are ignored; 2
///            numbers of scratch a class. A column of which nothing is said row by row is as fast as a matrix where
///            its length has a divisor from 256 to 4096
/// @source    Yang et al. 2023, arXiv:2308.14286 (BCKD, detectors, whose weights |q - p| are `element_weights`); Yang
///            et al. 2023, arXiv:2308.06453 (L2D, multi-label); Rebuffi et al. 2017, arXiv:1611.07725 (iCaRL). Public
///            codes take logarithms of float sigmoids, which are infinite once these saturate
/// @example   distil::binary_kd.with_grad(student, teacher, labels, gradient, {.temperature = 2, .soft_weight = 0.5})
inline constexpr binary_kd_loss binary_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
