#pragma once

#include <algorithm>
#include <cstddef>

#include "distil/core/row_parameter.hpp"
#include "distil/simd/logarithm.hpp"
#include "distil/simd/tuning.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The classes of one step of a sweep.
struct block {
  index first_column;
  index columns;
  index steps;             ///< registers each operand has here
  index whole;             ///< those of them that are full: all, or all but the last
  index register_columns;  ///< classes of a register
};

/// The two ways in which lanes run over a batch: along the classes of one row, so that what is summed over classes must be
/// summed across lanes in the end; or across rows, for class-major storage and rows too short to fill registers. Known at
/// run time alone: the sums of a row are a register in both, and loops over registers are the same.
struct axis {
  bool across;

  /// The rows that a sweep works on at once.
  template <class T>
  [[nodiscard]] DISTIL_INLINE index tile_rows() const {
    return across ? lanes<T>::size : 1;
  }
  template <class T>
  [[nodiscard]] DISTIL_INLINE index block_columns() const {
    return across ? block_elements / lanes<T>::size : block_elements;
  }
  /// The number of the block that a class is in.
  template <class T>
  [[nodiscard]] DISTIL_INLINE index block_of(index column) const {
    return across ? column / (block_elements / lanes<T>::size) : column / block_elements;
  }
  /// Of a row.
  template <class T>
  [[nodiscard]] DISTIL_INLINE index blocks(index columns) const {
    return block_of<T>(columns + block_columns<T>() - 1);
  }
  /// The next block before the end of some classes. Along a row its last register may be filled in part.
  template <class T>
  [[nodiscard]] DISTIL_INLINE block next(index first_column, index end) const {
    index const width = std::min(block_columns<T>(), end - first_column);
    if (across) return {first_column, width, width, width, 1};
    return {first_column, width, (width + lanes<T>::size - 1) / lanes<T>::size, width / lanes<T>::size,
            lanes<T>::size};
  }

  /// Position of an element of a block whose registers lie `step` apart.
  [[nodiscard]] DISTIL_INLINE index at(index row, index column, index step) const {
    return across ? column * step + row : column;
  }

  /// Of each row, in the lanes that belong to it.
  template <class T>
  [[nodiscard]] DISTIL_INLINE lanes<T> sum(lanes<T> partial) const {
    return across ? partial : sum_across(partial);
  }
  template <class T>
  [[nodiscard]] DISTIL_INLINE lanes<T> max(lanes<T> partial) const {
    return across ? partial : max_across(partial);
  }
  /// A register of what is known row by row.
  template <class T>
  [[nodiscard]] DISTIL_INLINE lanes<T> of_rows(T const* values) const {
    return across ? lanes<T>::load(values) : lanes<T>(values[0]);
  }
};

inline constexpr axis along{false}, across{true};

/// Registers of a full block, in both.
template <class T>
inline constexpr index block_steps = block_elements / lanes<T>::size;

/// The rows a sweep works on at once.
struct tile {
  simd::axis axis;
  index first_row;
  index rows;
  index last = first_row + rows;  ///< rows from here on belong to others: not even read ahead

  /// A value for each row.
  template <class T, class Value>
  [[nodiscard]] DISTIL_INLINE lanes<T> per_row(Value const& value) const {
    if (!axis.across) return lanes<T>(static_cast<T>(value(first_row)));
    T values[static_cast<std::size_t>(lanes<T>::size)] = {};
    for (index row = 0; row < rows; ++row) values[row] = static_cast<T>(value(first_row + row));
    return lanes<T>::load(values);
  }
  /// The parameter of each row, and its inverse, in T.
  template <class T>
  [[nodiscard]] DISTIL_INLINE lanes<T> values(row_parameter const& parameter) const {
    if (!parameter.per_row()) return lanes<T>(static_cast<T>(parameter[0]));
    return of_parameter<T>(parameter, false);
  }
  template <class T>
  [[nodiscard]] DISTIL_INLINE lanes<T> inverses(row_parameter const& parameter) const {
    if (!parameter.per_row()) return lanes<T>(static_cast<T>(1.0 / parameter[0]));
    return of_parameter<T>(parameter, true);
  }

 private:
  template <class T>
  [[nodiscard, gnu::noinline]] lanes<T> of_parameter(row_parameter const& parameter, bool inverted) const {
    return per_row<T>([&](index row) { return inverted ? 1.0 / parameter[row] : parameter[row]; });
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
