#pragma once

#include <algorithm>

#include "distil/response/binary/elements.hpp"

/// Masks of one channel: a column of logits, of which a sweep would spend more on each row than on its element. Where
/// nothing is said row by row it is evaluated as a matrix of longer rows, since elements stand each for itself.
namespace distil::detail {

/// A length of rows that so many elements can be cut into; 0: none, and the column stays one.
[[nodiscard]] inline index width_of_rows(index count) {
  constexpr index most = 4096, least = 256;
  if (count <= most) return count;
  for (index width = most; width >= least; --width) {
    if (count % width == 0) return width;
  }
  return 0;
}

/// Whether nothing is said row by row.
[[nodiscard]] inline bool rows_are_alike(row_options const& rows) {
  return !rows.weights.per_row() && rows.labels.size() == 0 && rows.values.empty();
}

[[nodiscard]] inline bool is_column_of(matrix_extent const& matrix, index rows) {
  return matrix.rows == rows && matrix.columns == 1 && matrix.runs.length == 0;
}
[[nodiscard]] inline bool is_column_of(number_matrix const& matrix, index rows) {
  return !matrix.given() || is_column_of(matrix.extent(), rows);
}

template <class T>
[[nodiscard]] row_view<T> column_in_rows_of(index width, row_view<T> const& column) {
  return matrix_view<T>(column.data, column.rows / width, width, width * column.row_stride,
                        column.row_stride);
}
[[nodiscard]] inline no_gradient column_in_rows_of(index, no_gradient none) { return none; }

[[nodiscard]] inline bool is_written_to_column(no_gradient, index) { return true; }
template <class T>
[[nodiscard]] bool is_written_to_column(row_view<T> const& gradient, index rows) {
  return is_column_of(matrix_extent(gradient), rows);
}

/// The length of the rows as which a column is evaluated by a term; 0: as it is. What does not fit is refused as it is.
template <class Student, class Output, class Term>
[[nodiscard]] index width_of_column(row_view<Student> const& student, Output const& output,
                                    Term const& term) {
  index const rows = student.rows;
  bool const fits = student.columns == 1 && rows > 1 && term.can_be_cut(rows) &&
                    is_written_to_column(output, rows) && rows_are_alike(term.rows) &&
                    is_column_of(term.targets, rows) && is_column_of(term.element_weights, rows);
  return fits ? width_of_rows(rows) : 0;
}

}  // namespace distil::detail
