#pragma once

#include <algorithm>

#include "distil/core/shapes.hpp"

/// Vocabularies that are the same but for padding: models of one family round their widths up differently.
namespace distil {

/// The columns that two matrices of logits share.
template <class Student, class Teacher>
struct shared_columns {
  matrix_view<Student const> student;
  matrix_view<Teacher const> teacher;

  [[nodiscard]] index columns() const { return student.columns; }
};

/// The first `columns` columns of a matrix, in place: of a gradient, to go with `common_vocabulary`.
template <class Matrix>
[[nodiscard]] auto first_columns(Matrix&& matrix, index columns) {
  auto result = view(std::forward<Matrix>(matrix));
  detail::require(columns >= 0 && columns <= result.columns, "first_columns", "columns", columns, [&] {
    return detail::said("within [0, ", result.columns, "], the columns of the matrix");
  });
  result.columns = columns;
  return result;
}

/// Views of the first min(width) columns of student and teacher, for every loss that takes both:
///
///   auto const shared = distil::common_vocabulary(student, teacher);
///   distil::forward_kl.with_grad(shared.student, shared.teacher, distil::first_columns(gradient, shared.columns()));
///   distil::clear_columns(gradient, shared.columns());   // what was dropped has no gradient
///
/// What lies beyond is dropped on the wider side before its softmax: it has no probability, and the rest is normalised
/// without it. That is right for padding, which no text contains, and for ids that only one side has when mass on them
/// shall not count. Ids must mean the same token on both sides; labels of dropped ids are refused by the losses. Logits
/// are never padded with 0, which would be real mass.
///
/// @throws    std::invalid_argument when the rows differ in number or there is no column
template <class Student, class Teacher>
[[nodiscard]] auto common_vocabulary(Student const& student, Teacher const& teacher) {
  auto const of_student = detail::logits_view(student);
  auto const of_teacher = detail::logits_view(teacher);
  constexpr char const* name = "common_vocabulary";
  detail::require_matrix(name, "student", of_student);
  detail::require_matrix(name, "teacher", of_teacher);
  detail::require(
      of_teacher.rows == of_student.rows, name, "teacher",
      [&] { return detail::said("of ", of_teacher.rows, " rows"); },
      [&] { return detail::said("of ", of_student.rows, ", the rows of the student"); });
  index const columns = std::min(of_student.columns, of_teacher.columns);
  using of_s = std::remove_const_t<typename decltype(of_student)::element>;
  using of_t = std::remove_const_t<typename decltype(of_teacher)::element>;
  return shared_columns<of_s, of_t>{first_columns(of_student, columns), first_columns(of_teacher, columns)};
}

/// Sets the columns from `first` on to 0: the gradient of what `common_vocabulary` dropped. Not for a gradient that
/// accumulates.
template <class Matrix>
void clear_columns(Matrix&& matrix, index first) {
  auto const seen = detail::output_view(std::forward<Matrix>(matrix));
  using element = typename decltype(seen)::element;
  detail::require(first >= 0 && first <= seen.columns, "clear_columns", "first", first,
                  [&] { return detail::said("within [0, ", seen.columns, "], the columns of the matrix"); });
  for (index row = 0; row < seen.rows; ++row) {
    for (index column = first; column < seen.columns; ++column) {
      seen(row, column) = static_cast<element>(static_cast<arithmetic_t<element>>(0));
    }
  }
}

}  // namespace distil
