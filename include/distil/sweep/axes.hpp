#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "distil/core/row_parameter.hpp"
#include "distil/simd/logarithm.hpp"
#include "distil/simd/tuning.hpp"

/// The two ways in which lanes run over a batch.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The rows a sweep works on at once: one when lanes run along the classes, up to a register when they run
/// across rows.
struct tile {
  index first_row;
  index rows;
  index last = first_row + rows;  ///< rows from here on belong to others: not even read ahead
};

/// The classes of one step of a sweep.
struct block {
  index first_column;
  index columns;
  index steps;  ///< registers each operand has here
  index whole;  ///< those of them that are full: all, or all but the last
};

/// Lanes run along the classes of one row; what is summed over classes must be summed across lanes in the
/// end.
template <class T>
struct along {
  static constexpr index tile_rows = 1;
  static constexpr index register_columns = lanes<T>::size;
  static constexpr index block_columns = block_elements;
  static constexpr index block_steps = block_columns / lanes<T>::size;
  static constexpr index scratch_elements = block_elements;

  static DISTIL_INLINE lanes<T> sum(lanes<T> partial) { return sum_across(partial); }
  static DISTIL_INLINE lanes<T> max(lanes<T> partial) { return max_across(partial); }
  /// Of a number that all lanes share.
  static DISTIL_INLINE lanes<T> log_of_rows(lanes<T> same) { return lanes<T>(std::log(first_of(same))); }

  /// A value for each row of the tile.
  template <class Value>
  static DISTIL_INLINE lanes<T> per_row(tile where, Value const& value) {
    return lanes<T>(static_cast<T>(value(where.first_row)));
  }
  template <class Function>
  static DISTIL_INLINE lanes<T> per_row(tile where, row_parameter const& parameter,
                                        Function const& function) {
    return lanes<T>(static_cast<T>(function(parameter[where.first_row])));
  }

  /// A register of what is known row by row.
  static DISTIL_INLINE lanes<T> of_rows(T const* values) { return lanes<T>(values[0]); }

  /// The last register of a row may be filled in part.
  static DISTIL_INLINE block next(index first_column, index columns) {
    index const width = std::min(block_columns, columns - first_column);
    return {first_column, width, (width + lanes<T>::size - 1) / lanes<T>::size, width / lanes<T>::size};
  }

  /// Position of an element of a block whose registers lie `step` apart.
  static DISTIL_INLINE index at(index /*row*/, index column, index /*step*/) { return column; }

  /// Of a row.
  static constexpr index blocks(index columns) { return (columns + block_columns - 1) / block_columns; }
};

/// Lanes run across the rows of a tile: class-major storage, and rows too short to fill registers.
template <class T>
struct across {
  static constexpr index tile_rows = lanes<T>::size;
  static constexpr index register_columns = 1;
  static constexpr index block_columns = block_elements / tile_rows;
  static constexpr index block_steps = block_columns;
  static constexpr index scratch_elements = window_elements;

  static DISTIL_INLINE lanes<T> sum(lanes<T> partial) { return partial; }
  static DISTIL_INLINE lanes<T> max(lanes<T> partial) { return partial; }
  static DISTIL_INLINE lanes<T> log_of_rows(lanes<T> rows) { return log(rows); }

  template <class Function>
  static DISTIL_INLINE lanes<T> per_row(tile where, row_parameter const& parameter,
                                        Function const& function) {
    if (!parameter.per_row()) return lanes<T>(static_cast<T>(function(parameter[0])));
    return per_row(where, [&](index row) { return function(parameter[row]); });
  }

  template <class Value>
  static DISTIL_INLINE lanes<T> per_row(tile where, Value const& value) {
    T values[static_cast<std::size_t>(tile_rows)] = {};
    for (index row = 0; row < where.rows; ++row) values[row] = static_cast<T>(value(where.first_row + row));
    return lanes<T>::load(values);
  }

  static DISTIL_INLINE lanes<T> of_rows(T const* values) { return lanes<T>::load(values); }

  static DISTIL_INLINE block next(index first_column, index columns) {
    index const width = std::min(block_columns, columns - first_column);
    return {first_column, width, width, width};
  }

  static DISTIL_INLINE index at(index row, index column, index step) { return column * step + row; }

  static constexpr index blocks(index columns) { return (columns + block_columns - 1) / block_columns; }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
