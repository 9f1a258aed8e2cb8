#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "distil/response/teacher.hpp"

namespace distil {
namespace detail {

/// Labels of rows that count lie within the classes.
inline void require_labels(char const* where, label_view labels, std::int64_t ignore_label, index columns) {
  for (index row = 0; row < labels.size(); ++row) {
    std::int64_t const label = labels[row];
    require(
        label == ignore_label || (label >= 0 && label < columns), where, "label",
        [&] { return detail::text_of(label) + " in row " + detail::text_of(row); },
        [&] {
          return "within [0, " + detail::text_of(columns) + ") or the ignored label " +
                 detail::text_of(ignore_label);
        });
  }
}

/// Classes are numbered in the arithmetic type, so that a register can be compared with a label.
inline constexpr index most_labelled_classes = index{1} << 24;

/// A term between a student and a teacher that may know the label of each row, apart from its kernel.
template <class Storage, teacher_form Form>
struct labelled_teacher_term : term_base {
  using arithmetic = arithmetic_t<Storage>;

  dense_teacher<Storage, Form> teacher;
  label_view labels;
  row_parameter temperature;
  bool squared;
  bool labelled = true;  ///< false: there are no labels
  static constexpr std::optional<row_parameter> teacher_temperature = std::nullopt;  ///< none of its own
  static constexpr std::optional<row_parameter> factor = std::nullopt;

  template <class Options>
  labelled_teacher_term(dense_teacher<Storage, Form> const& the_teacher, label_view the_labels,
                        Options const& options, row_parameter the_temperature, bool is_squared)
      : term_base{.rows = options.rows, .labels_of_loss = the_labels},
        teacher(the_teacher),
        labels(the_labels),
        temperature(the_temperature),
        squared(is_squared) {
    if constexpr (requires { options.temperature_gradient; })
      temperature_gradient = options.temperature_gradient;
  }

  /// The label of a row, -1 where it has none.
  [[nodiscard]] index class_of(index row) const {
    bool const has_label = labelled && labels[row] != rows.ignore_label;
    return has_label ? static_cast<index>(labels[row]) : index{-1};
  }

  [[nodiscard]] bool wants_derivative() const { return !temperature_gradient.empty(); }

  void check(char const* where, index rows_of_student, index columns) const {
    require_shape(where, "teacher", teacher.matrix, rows_of_student, columns);
    if (labelled) require_size(where, "labels", labels.size(), rows_of_student);
    require(columns <= most_labelled_classes, where, "classes", columns, "at most 2^24");
    require_temperature(where, temperature, temperature_gradient, rows_of_student);
    if (teacher.captured_at) {
      require_parameter(where, "captured_at", *teacher.captured_at, rows_of_student, is_temperature,
                        must_be_temperature);
    }
    require_rows(where, rows, rows_of_student);
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    require_apart(where, gradient, "teacher", teacher.matrix);
  }

  void inspect(char const* where, index /*rows*/, index columns) const {
    require_row_values(where, "temperature", temperature, is_temperature, must_be_temperature);
    if (teacher.captured_at) {
      require_row_values(where, "captured_at", *teacher.captured_at, is_temperature, must_be_temperature);
    }
    require_row_values(where, "rows.weights", rows.weights, is_weight, must_be_weight);
    require_labels(where, labels, rows.ignore_label, columns);
  }

  [[nodiscard]] bool alike() const { return term_base::alike() && !any_begins_masked(teacher); }

  [[nodiscard]] row_weight weigh(bool student_is_masked, index row) const {
    row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || fully_masked(teacher, row)) return {};
    return weight;
  }
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// The face of a loss between a student and a teacher, with labels or without. `Definition` has `name`, `options`, and
/// `make_term(teacher, labels, options)`, or `make_term(teacher, options)`, or both.
template <class Definition>
struct labelled_loss {
  static constexpr char const* name = Definition::name;
  using options = typename Definition::options;
  using options_type = options;

  template <matrix_argument Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher, Labels const& labels,
                                      options const& chosen = {}) const {
    return (*this)(serial, student, teacher, labels, chosen);
  }

  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      Labels const& labels, options const& chosen = {}) const {
    return simd::evaluate(name, policy, student, {}, make_term(teacher, labels, chosen));
  }

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher,
                                      options const& chosen = {}) const {
    return (*this)(serial, student, teacher, chosen);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      options const& chosen = {}) const {
    return simd::evaluate(name, policy, student, {}, make_term(teacher, chosen));
  }

  template <matrix_argument Student, class Teacher, detail::labels_like Labels, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Labels const& labels,
                       Gradient&& gradient, options const& chosen = {}) const {
    return with_grad(serial, student, teacher, labels, std::forward<Gradient>(gradient), chosen);
  }

  template <execution_policy Policy, class Student, class Teacher, detail::labels_like Labels, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Labels const& labels,
                       Gradient&& gradient, options const& chosen = {}) const {
    return simd::evaluate_with_gradient(name, policy, student, std::forward<Gradient>(gradient),
                                        {.accumulate = chosen.accumulate},
                                        make_term(teacher, labels, chosen));
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                       options const& chosen = {}) const {
    return with_grad(serial, student, teacher, std::forward<Gradient>(gradient), chosen);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                       options const& chosen = {}) const {
    return simd::evaluate_with_gradient(name, policy, student, std::forward<Gradient>(gradient),
                                        {.accumulate = chosen.accumulate}, make_term(teacher, chosen));
  }

  /// This loss as a term of `fuse`. Teacher, labels and every span in the options must outlive the objective.
  template <class Teacher, detail::labels_like Labels>
  [[nodiscard]] auto term(Teacher const& teacher, Labels const& labels, options const& chosen = {}) const {
    require_overwriting(chosen);
    return make_term(teacher, labels, chosen);
  }
  template <class Teacher>
  [[nodiscard]] auto term(Teacher const& teacher, options const& chosen = {}) const {
    require_overwriting(chosen);
    return make_term(teacher, chosen);
  }

 private:
  static void require_overwriting(options const& chosen) {
    detail::require(!chosen.accumulate, name, "accumulate", "set on a term", "set on the objective");
  }

  template <class Teacher, class Labels>
  [[nodiscard]] static auto make_term(Teacher const& teacher, Labels const& labels, options const& chosen) {
    auto const seen = detail::as_teacher(teacher);
    constexpr bool takes_labels = requires { Definition::make_term(seen, label_view(labels), chosen); };
    static_assert(takes_labels, "distil: this loss takes no labels; leave them out");
    if constexpr (takes_labels) return Definition::make_term(seen, label_view(labels), chosen);
  }
  template <class Teacher>
  [[nodiscard]] static auto make_term(Teacher const& teacher, options const& chosen) {
    auto const seen = detail::as_teacher(teacher);
    constexpr bool goes_without_labels = requires { Definition::make_term(seen, chosen); };
    static_assert(goes_without_labels, "distil: this loss needs labels, after the teacher");
    if constexpr (goes_without_labels) return Definition::make_term(seen, chosen);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
