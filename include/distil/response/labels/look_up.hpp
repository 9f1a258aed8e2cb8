#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "distil/response/teacher/teacher_reader.hpp"

/// What kernels of losses with labels share: single classes of each row, looked up, compared and corrected.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// The numbers of the classes in the registers of a block, to compare with labels.
template <class T>
class class_numbers {
 public:
  class_numbers() = default;
  DISTIL_INLINE class_numbers(simd::axis way, simd::block const& columns)
      : first_(columns.first_column),
        step_(columns.register_columns),
        lanes_(way.across ? lanes<T>(0) : lanes<T>::load(counted.data())) {}

  [[nodiscard]] DISTIL_INLINE class_numbers from(index k, bool) const {
    class_numbers later = *this;
    later.first_ += k * step_;
    return later;
  }
  DISTIL_INLINE lanes<T> operator[](index k) const {
    return lanes<T>(static_cast<T>(first_ + k * step_)) + lanes_;
  }

 private:
  static constexpr auto counted = [] {
    std::array<T, static_cast<std::size_t>(lanes<T>::size)> result{};
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<T>(i);
    return result;
  }();

  index first_ = 0, step_ = 0;
  lanes<T> lanes_{0};  ///< what the class of each lane has more than that of the first
};

/// One logit of each row of a tile and the class it belongs to: the label's.
template <class T>
class looked_up {
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes<T>::size);

 public:
  /// `class_of(row)` is negative for a row that has none.
  template <class ClassOf>
  DISTIL_INLINE looked_up(simd::tile const& rows, ClassOf const& class_of) : axis_(rows.axis) {
    for (index r = 0; r < rows.rows; ++r) class_[r] = class_of(rows.first_row + r);
  }
  looked_up() = default;

  [[nodiscard]] DISTIL_INLINE lanes<T> number() const {
    T numbers[lane_count] = {};
    for (std::size_t r = 0; r < lane_count; ++r) numbers[r] = static_cast<T>(class_[r]);
    return axis_.of_rows(numbers);
  }

  /// What a matrix has there; `missing` for a row that has none.
  template <class Matrix>
  [[nodiscard]] DISTIL_INLINE lanes<T> in(Matrix const& matrix, simd::tile const& rows, T missing) const {
    T found[lane_count] = {};
    for (index r = 0; r < rows.rows; ++r) {
      found[r] = class_[r] < 0 ? missing : detail::widen<T>(matrix(rows.first_row + r, class_[r]));
    }
    return axis_.of_rows(found);
  }

  /// Adds to the gradient there, row by row. What is 0 is not added: a row that does not count may hold anything.
  template <class Target>
  DISTIL_INLINE void add(lanes<T> values, simd::tile const& rows, simd::block const& columns,
                         Target const& target) const {
    T each[lane_count];
    values.store(each);
    for (index r = 0; r < rows.rows; ++r) {
      index const column = class_[r] - columns.first_column;
      if (column < 0 || column >= columns.columns || each[r] == T(0)) continue;
      target.element(r, column) += each[r];
    }
  }

 private:
  simd::axis axis_{};
  index class_[lane_count] = {};
};

/// 1 / T of the teacher's side: logits move with the temperature, a distribution only from where it was captured.
template <class T, teacher_form Form, class Term>
DISTIL_INLINE lanes<T> teacher_inverse(Term const& term, simd::tile const& rows, lanes<T> inverse) {
  if (term.teacher.captured_at) return inverse * rows.values<T>(*term.teacher.captured_at);
  return Form == teacher_form::logits ? inverse : lanes<T>(1);
}

/// NaN where x is NaN or +inf, 0 elsewhere: what poisons a row.
template <class T>
DISTIL_INLINE lanes<T> poison(lanes<T> x) {
  return select(x == lanes<T>(-simd::infinity<T>), lanes<T>(0), x * lanes<T>(0));
}

/// The first class with the largest value of a row, and NaN if one of its values is NaN or +inf, 0 elsewhere.
template <class T>
struct first_maximum {
  index at = -1;
  T poison = T(0);

  template <class Storage>
  first_maximum(detail::row_view<Storage> const& matrix, index row) {
    constexpr index size = lanes<T>::size;
    alignas(64) T block[simd::block_elements];
    lanes<T> poisons(0);
    T best = -simd::infinity<T>;
    for (index first = 0; first < matrix.columns; first += simd::block_elements) {
      index const count = std::min(simd::block_elements, matrix.columns - first);
      lanes<T>(-simd::infinity<T>).store(block + (count - 1) / size * size);
      for (index column = 0; column < count; ++column)
        block[column] = detail::widen<T>(matrix(row, first + column));
      lanes<T> top(-simd::infinity<T>);
      for (index k = 0; k < count; k += size) {
        lanes<T> const values = lanes<T>::load(block + k);
        top = max(top, values);
        poisons += kernels::poison(values);
      }
      T const highest = simd::first_of(simd::max_across(top));
      if (highest > best) {
        best = highest;
        at = first + (std::find(block, block + count, highest) - block);
      }
    }
    poison = simd::first_of(simd::sum_across(poisons));
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
