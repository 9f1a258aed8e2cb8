#pragma once

#include <algorithm>
#include <type_traits>

#include "distil/response/coupled_batch.hpp"
#include "distil/response/row_statistics.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// A batch whose rows of logits have mean 0 and standard deviation 1, in memory of this thread until its next of this
/// kind; and the way back for the gradient of whatever loss was taken of it.
template <class T>
class standardized_rows {
 public:
  matrix_view<T> student, teacher;
  matrix_view<T> upstream;  ///< for the loss's gradient

  template <class Policy, class Student, class Teacher>
  standardized_rows(char const* where, Policy policy, matrix_view<Student const> const& z,
                    matrix_view<Teacher const> const& t, double epsilon, bool with_gradient) {
    detail::require_factor(where, "epsilon", epsilon, detail::computing_type::of<T>());
    detail::require_matrix(where, "student", z);
    detail::require_shape(where, "teacher", t, z.rows, z.columns);
    index const size = z.rows * z.columns;
    T* const numbers = simd::scratch<T, standardized_rows>((with_gradient ? 3 : 2) * size);
    row_spread* const found = simd::scratch<row_spread, standardized_rows>(2 * z.rows);
    student = {numbers, z.rows, z.columns};
    teacher = {numbers + size, z.rows, z.columns};
    if (with_gradient) upstream = {numbers + 2 * size, z.rows, z.columns};
    spread_ = found;
    epsilon_ = epsilon;
    find_statistics<T>(policy, z, found);
    find_statistics<T>(policy, t, found + z.rows);
    standardize(policy, z, found, student);
    standardize(policy, t, found + z.rows, teacher);
  }

  /// From dL/dz' to dL/dz, which is written to the gradient:
  ///
  ///   (h - mean h - z' (h . z') (deviation + epsilon) / ((C - 1) deviation)) / (deviation + epsilon)
  template <class Policy, class Gradient>
  void pull_back(Policy policy, matrix_view<Gradient> const& gradient, bool adds) const {
    each_row(policy, student, [&](index row) {
      T* const h = &upstream(row, 0);
      T const* const z = &student(row, 0);
      index const classes = student.columns;
      lanes<T> const masked(-simd::infinity<T>), zero(0);
      T const size = simd::sum_of<T>(classes, [&](auto at) { return abs(at.load(h)); });
      if (size == T(0)) return;  // a row that does not count, whatever it holds
      row_spread const& of = spread_[row];
      T const sum = simd::sum_of<T>(classes, [&](auto at) { return at.load(h); });
      T const product = simd::sum_of<T>(classes, [&](auto at) {
        lanes<T> const here = at.load(z);
        return select(here == masked, zero, at.load(h) * here);
      });
      double const along =
          of.any() ? static_cast<double>(product) * size_of(of) / ((of.count - 1.0) * of.deviation) : 0.0;
      lanes<T> const mean(static_cast<double>(sum) / of.count), slope(along), over(1.0 / size_of(of));
      simd::for_each_register<T>(classes, [&](auto at) {
        lanes<T> const here = at.load(z);
        at.store(select(here == masked, zero, (at.load(h) - mean - slope * here) * over), h);
      });
    });
    write_matrix(policy, upstream, gradient, adds);
  }

 private:
  /// What a row's distances from its mean are divided by.
  [[nodiscard]] double size_of(row_spread const& of) const {
    return of.any() ? of.deviation + epsilon_ : 1.0;
  }

  template <class Policy, class Body>
  static void each_row(Policy policy, matrix_view<T> const& matrix, Body const& body) {
    index const least = std::max<index>(1, simd::least_chunk_elements / std::max<index>(1, matrix.columns));
    sum_chunks(policy, matrix.rows, least, matrix.rows * matrix.columns, [&](index first, index last, index) {
      for (index row = first; row < last; ++row) body(row);
      return 0.0;
    });
  }

  template <class Policy, class Storage>
  void standardize(Policy policy, matrix_view<Storage const> const& from, row_spread const* found,
                   matrix_view<T> const& to) const {
    each_row(policy, to, [&](index row) {
      T* const out = &to(row, 0);
      if (from.column_stride == 1) {
        simd::widen_row(&from(row, 0), from.columns, out);
      } else {
        for (index column = 0; column < from.columns; ++column)
          out[column] = detail::widen<T>(from(row, column));
      }
      double const centre = found[row].mean;
      lanes<T> const mean(centre), rest(centre - static_cast<double>(static_cast<T>(centre))),
          over(1.0 / size_of(found[row]));
      simd::for_each_register<T>(to.columns,
                                 [&](auto at) { at.store(((at.load(out) - mean) - rest) * over, out); });
    });
  }

  row_spread const* spread_ = nullptr;
  double epsilon_ = 0.0;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
