#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "distil/response/teacher/term.hpp"
#include "distil/sweep/evaluate.hpp"

namespace distil {
namespace detail {

/// Labels of rows that count lie within the classes.
inline void require_labels(char const* where, label_view labels, std::int64_t ignore_label, index columns) {
  for (index row = 0; row < labels.size(); ++row) {
    std::int64_t const label = labels[row];
    require(
        label == ignore_label || (label >= 0 && label < columns), where, "label",
        [&] { return detail::said(label, " in row ", row); },
        [&] { return detail::said("within [0, ", columns, ") or the ignored label ", ignore_label); });
  }
}

/// Classes are numbered in the arithmetic type, so that a register can be compared with a label.
inline constexpr index most_labelled_classes = index{1} << 24;

/// A term between a student and a teacher that may know the label of each row, apart from its kernel.
template <class Storage, teacher_form Form>
struct labelled_term : dense_term<Storage, Form> {
  using base = dense_term<Storage, Form>;

  label_view labels;
  bool squared;
  bool labelled = true;  ///< false: there are no labels
  static constexpr std::optional<row_parameter> teacher_temperature = std::nullopt;  ///< none of its own
  static constexpr std::optional<row_parameter> factor = std::nullopt;

  template <class Options>
  labelled_term(dense_teacher<Storage, Form> const& the_teacher, label_view the_labels,
                Options const& options, row_parameter the_temperature, bool is_squared)
      : base({{.rows = options.rows, .labels_of_loss = the_labels}, the_temperature}, the_teacher),
        labels(the_labels),
        squared(is_squared) {
    if constexpr (requires { options.temperature_gradient; }) {
      this->temperature_gradient = options.temperature_gradient;
    }
  }

  /// The label of a row, -1 where it has none.
  [[nodiscard]] index class_of(index row) const {
    bool const has_label = labelled && labels[row] != this->rows.ignore_label;
    return has_label ? static_cast<index>(labels[row]) : index{-1};
  }

  [[nodiscard]] bool wants_derivative() const { return !this->temperature_gradient.empty(); }

  void check(char const* where, index row_count, index columns) const {
    this->check_teacher(where, row_count, columns);
    if (labelled) require_size(where, "labels", labels.size(), row_count);
    require(columns <= most_labelled_classes, where, "classes", columns, "at most 2^24");
    this->check_options(where, row_count);
  }

  void inspect(char const* where, index row_count, index columns) const {
    base::inspect(where, row_count, columns);
    require_labels(where, labels, this->rows.ignore_label, columns);
  }
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// The face of a loss between a student and a teacher, with labels or without. `Definition` has `name`, `bound`, `options`,
/// and `make_term(teacher, labels, options)`, or `make_term(teacher, options)`, or both.
template <class Definition>
struct labelled_loss : detail::labels_optional_face<labelled_loss<Definition>, typename Definition::options> {
  static constexpr char const* name = Definition::name;
  static constexpr error_bound bound = Definition::bound;
  using options = typename Definition::options;
  using options_type = options;

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           options const& chosen) {
    return simd::evaluate(name, policy, student, output, {.accumulate = chosen.accumulate},
                          make_term(teacher, chosen));
  }
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, label_view labels, Output const& output,
                                           options const& chosen) {
    return simd::evaluate(name, policy, student, output, {.accumulate = chosen.accumulate},
                          make_term(teacher, labels, chosen));
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
