#pragma once

#include <algorithm>

#include "distil/sweep/axes.hpp"
#include "distil/sweep/stored_matrix.hpp"

/// Class-major batches move through windows of several tiles, a run of rows of each class at a time. Tile by tile they
/// would move a line of each class: lines that lie in the same few sets of the caches, since classes are far and often
/// a power of two apart, and that are lost before the next tile needs their neighbours.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

template <class Matrix>
DISTIL_INLINE index bytes_of(Matrix const& matrix) {
  return matrix.rows * matrix.columns * matrix.element_bytes();
}

/// Rows of a window on a matrix: whole tiles, whole lines of the cache in every element type. None (0) where rows
/// take several blocks, where classes are so few that their lines stay, where the caches hold all of them, and where a
/// tile may have rows of two images.
template <class T, class Matrix>
index window_rows_of(axis way, Matrix const& matrix) {
  constexpr index step = static_cast<index>(cache_line / 2);
  static_assert(step % lanes<T>::size == 0);
  constexpr index most_columns = std::min(block_steps<T>, window_elements / step);
  bool const whole_tiles =
      matrix.runs.length % lanes<T>::size == 0 && matrix.runs.first % lanes<T>::size == 0;
  bool const taken = way.across && matrix.row_stride == 1 && whole_tiles &&
                     matrix.columns >= least_window_columns && matrix.columns <= most_columns &&
                     bytes_of(matrix) >= windowed_bytes;
  return taken ? std::min(window_elements / matrix.columns / step * step, most_window_rows) : 0;
}

/// What a window holds: element (row, column) of the matrix at `column * rows() + row - first` of the scratch.
template <class T>
class window {
 public:
  template <class Matrix>
  window(axis way, Matrix const& matrix) : rows_(window_rows_of<T>(way, matrix)) {}

  [[nodiscard]] DISTIL_INLINE bool used() const { return rows_ > 0; }
  [[nodiscard]] DISTIL_INLINE index rows() const { return rows_; }

 protected:
  index rows_;                  ///< it has room for
  index first_ = 0, last_ = 0;  ///< rows in it
};

/// Rows on their way to the lanes. It reads ahead up to the end of the chunk: other threads may write what lies beyond,
/// where the gradient takes the place of the student.
template <class T>
class input_window : public window<T> {
  using base = window<T>;
  using base::first_, base::last_, base::rows_;

 public:
  using base::base;

  DISTIL_INLINE T const* open(source_matrix<T> const& matrix, tile const& here, T padding, T* scratch) {
    if (here.first_row != seen_ || padding != padding_) visit(matrix, here, padding, scratch);
    return scratch + (here.first_row - first_);
  }

 private:
  void visit(source_matrix<T> const& matrix, tile const& here, T padding, T* scratch) {
    if (here.first_row < first_ || here.first_row + here.rows > last_ || padding != padding_) {
      first_ = here.first_row;
      last_ = std::min(first_ + matrix.runs.left(first_, rows_), here.last);
      padding_ = padding;
      read(matrix, scratch);
    }
    seen_ = here.first_row;
    prefetch(matrix, here);
  }

  void read(source_matrix<T> const& matrix, T* scratch) const {
    index const count = last_ - first_;
    index const whole = (count + lanes<T>::size - 1) / lanes<T>::size * lanes<T>::size;
    for (index column = 0; column < matrix.columns; ++column) {
      T* const to = scratch + column * rows_;
      matrix.how->row(matrix.address(first_, column), count, to);
      std::fill(to + count, to + whole, padding_);
    }
  }

  /// Every tile asks for some classes of the next window, so that memory is never idle: into an outer cache, as the
  /// sets of the first would not hold them. Always inlined: gcc drops the call of a function that does nothing else.
  DISTIL_INLINE void prefetch([[maybe_unused]] source_matrix<T> const& matrix,
                              [[maybe_unused]] tile const& here) const {
#if defined(__GNUC__)
    index const count = std::min(rows_, here.last - last_);
    index const tiles = rows_ / lanes<T>::size;
    index const position = (here.first_row - first_) / lanes<T>::size;
    index const end = matrix.columns * (position + 1) / tiles;
    for (index column = matrix.columns * position / tiles; column < end; ++column) {
      for (index row = 0; row < count; row += static_cast<index>(cache_line) / matrix.element_bytes()) {
        __builtin_prefetch(matrix.address(last_ + row, column), 0, 1);
      }
    }
#endif
  }

  index seen_ = -1;
  T padding_ = T(0);
};

/// Rows on their way to memory: neighbours that were opened or filled, in this order, one after the other.
template <class T>
class output_window : public window<T> {
  using base = window<T>;
  using base::first_, base::last_, base::rows_;

 public:
  output_window(axis way, target_matrix<T> const& matrix, bool accumulate)
      : base(way, matrix),
        accumulate_(accumulate),
        streams_(this->used() && !accumulate && bytes_of(matrix) >= streamed_window_bytes) {}

  /// The place of some rows, of which registers touch `reach`.
  DISTIL_INLINE T* place(target_matrix<T> const& matrix, T* scratch, index row, index count, index reach) {
    if (row != last_ || row + reach > first_ + rows_ || !matrix.runs.together(first_, row + count - first_)) {
      flush(matrix, scratch);
      first_ = row;
    }
    last_ = row + count;
    return scratch + (row - first_);
  }

  void finish(target_matrix<T> const& matrix, T const* scratch) {
    flush(matrix, scratch);
    if (streams_) finish_streams();
  }

 private:
  /// Brings them to the matrix.
  void flush(target_matrix<T> const& matrix, T const* scratch) {
    index const count = last_ - first_;
    if (count == 0) return;
    for (index column = 0; column < matrix.columns; ++column) {
      T const* const from = scratch + column * rows_;
      void* const to = matrix.address(first_, column);
      if (streams_) {
        matrix.how->stream(from, count, to);
      } else {
        matrix.how->row[accumulate_ ? 1 : 0](from, count, to);
      }
    }
    first_ = last_;
  }

  bool accumulate_, streams_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
