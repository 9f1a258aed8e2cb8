#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "distil/sweep/windows.hpp"

/// How a batch reaches the lanes. A sweep sees every operand as strips of registers, whatever its layout and
/// element type: in place where it can be loaded as it lies, else through a block of scratch that stays in
/// the first cache, or through a window of several tiles (see windows.hpp).
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Registers of one operand in one block, `step` elements apart. A last one that a row does not fill may lie in a place of
/// its own, together with its padding.
template <class Element>
struct registers {
  using T = std::remove_const_t<Element>;
  Element* data = nullptr;
  index step = 0;
  Element* tail = nullptr;   ///< the register that a row does not fill; none: nullptr
  std::uintptr_t ahead = 0;  ///< bytes from a register to what the next blocks read there; 0: not known

  [[nodiscard]] DISTIL_INLINE Element* at(index k) const { return data + k * step; }
  DISTIL_INLINE lanes<T> operator[](index k) const { return lanes<T>::load(at(k)); }

  /// These registers from the k-th on: full ones, or the `partial` one.
  [[nodiscard]] DISTIL_INLINE registers from(index k, bool partial) const {
    return {partial && tail != nullptr ? tail : at(k), step, nullptr, ahead};
  }
};
template <class T>
using strip = registers<T const>;

/// True when the rows of a tile are as many as lanes, and at one distance from each other.
template <class T, class Matrix>
DISTIL_INLINE bool fills_register(Matrix const& matrix, tile const& rows) {
  return rows.rows == lanes<T>::size && matrix.runs.together(rows.first_row, rows.rows);
}

/// True when a matrix can be loaded and stored as it lies: the element type computes as itself and the
/// elements of a register are neighbours.
template <class T, class Matrix>
DISTIL_INLINE bool in_place(Matrix const& matrix, tile const& rows) {
  if (!matrix.how->is_arithmetic) return false;
  if (!rows.axis.across) return matrix.column_stride == 1;
  return matrix.row_stride == 1 && fills_register<T>(matrix, rows);
}

/// The rows of the next tile, which lie behind those of this one, while this one is computed: their rows are too short
/// for the processor's own look-ahead. What the second cache holds is near enough.
template <class T, bool Writes, class Matrix>
DISTIL_INLINE void prefetch_next_tile([[maybe_unused]] void const* here,
                                      [[maybe_unused]] Matrix const& matrix) {
#if defined(__GNUC__)
  constexpr std::uintptr_t line = cache_line;
  if (matrix.rows * matrix.row_stride * matrix.element_bytes() < prefetched_bytes) return;
  if (matrix.row_stride < matrix.columns || matrix.row_stride > 2 * matrix.columns) return;
  auto const bytes = static_cast<std::uintptr_t>(lanes<T>::size * matrix.row_stride * matrix.element_bytes());
  auto const next = reinterpret_cast<std::uintptr_t>(here) + bytes;
  for (std::uintptr_t offset = 0; offset < bytes; offset += line) {
    __builtin_prefetch(reinterpret_cast<void const*>(next + offset), Writes ? 1 : 0);
  }
#endif
}

/// Copies a block to registers that lie one behind the other.
template <class T>
void read_block(source_matrix<T> const& matrix, tile const& rows, block const& columns, T padding, T* to) {
  void const* const from = matrix.address(rows.first_row, columns.first_column);
  reading<T> const& how = *matrix.how;
  if (!rows.axis.across) {
    lanes<T>(padding).store(to + (columns.steps - 1) * lanes<T>::size);
    if (matrix.column_stride == 1) return how.row(from, columns.columns, to);
    how.spread(from, columns.columns, matrix.column_stride, to, 1);
  } else {
    if (rows.rows < lanes<T>::size) {
      for (index k = 0; k < columns.steps; ++k) lanes<T>(padding).store(to + k * lanes<T>::size);
    } else if (!matrix.runs.together(rows.first_row, rows.rows)) {
      // row by row
    } else if (matrix.column_stride == 1) {
      if (columns.columns == matrix.columns) prefetch_next_tile<T, false>(from, matrix);
      return how.tile(from, matrix.row_stride, columns.columns, to);
    } else if (matrix.row_stride == 1) {
      return how.classes(from, matrix.column_stride, columns.columns, to);
    }
    for (index row = 0; row < rows.rows; ++row) {
      how.spread(matrix.address(rows.first_row + row, columns.first_column), columns.columns,
                 matrix.column_stride, to + row, lanes<T>::size);
    }
  }
}

/// Reads a matrix block by block. Lanes past the last class or the last row hold `padding`.
template <class T>
class block_reader {
 public:
  block_reader(axis way, source_matrix<T> const& matrix) : matrix_(matrix), window_(way, matrix) {}
  template <class Storage>
  block_reader(axis way, detail::row_view<Storage> const& matrix)
      : block_reader(way, source_matrix<T>(matrix)) {}

  DISTIL_INLINE strip<T> open(tile const& rows, block const& columns, T padding) {
    if (window_.used()) return {window_.open(matrix_, rows, padding, scratch_), window_.rows()};
    if (in_place<T>(matrix_, rows)) {
      T const* const data = static_cast<T const*>(matrix_.address(rows.first_row, columns.first_column));
      if (rows.axis.across) return {data, matrix_.column_stride};
      constexpr std::uintptr_t block_bytes = block_elements * sizeof(T);
      if (columns.whole == columns.steps) return {data, lanes<T>::size, nullptr, block_bytes};
      index const rest = columns.columns - columns.whole * lanes<T>::size;
      lanes<T>::load_first(data + columns.whole * lanes<T>::size, rest, padding).store(scratch_);
      return {data, lanes<T>::size, scratch_, block_bytes};
    }
    read_block(matrix_, rows, columns, padding, scratch_);
    if (rows.axis.across) return {scratch_, lanes<T>::size};
    // Smaller elements lie closer than registers do: what comes ahead is that of several blocks.
    void const* const next = matrix_.address(rows.first_row, columns.first_column + columns.columns);
    return {scratch_, lanes<T>::size, nullptr,
            reinterpret_cast<std::uintptr_t>(next) - reinterpret_cast<std::uintptr_t>(scratch_)};
  }

 private:
  source_matrix<T> matrix_;
  input_window<T> window_;
  alignas(64) T scratch_[window_elements];
};

/// Reads one value per class, the same for every row, in the shape of the other operands; `padding` past the
/// last.
template <class T, class Storage>
class class_reader {
 public:
  class_reader(axis way, Storage const* values) : axis_(way), values_(values) {}

  /// Without values every class has the value 1. What an earlier call left is used again.
  [[gnu::noinline]] strip<T> open(block const& columns, T padding) {
    bool const moved = values_ != nullptr && columns.first_column != first_column_;
    if (moved || columns.columns != columns_ || padding != padding_) fill(columns, padding);
    return {scratch_, lanes<T>::size};
  }

 private:
  void fill(block const& columns, T padding) {
    index const used = axis_.across ? columns.steps * lanes<T>::size : columns.columns;
    if (values_ == nullptr) {
      // All of it is ones at first; later only where padding was.
      std::fill(scratch_ + used_, scratch_ + end_, T(1));
    } else if (!axis_.across) {
      widen_row(values_ + columns.first_column, columns.columns, scratch_);
    } else {
      for (index column = 0; column < columns.columns; ++column) {
        T const value = detail::widen<T>(values_[columns.first_column + column]);
        lanes<T>(value).store(scratch_ + column * lanes<T>::size);
      }
    }
    first_column_ = columns.first_column;
    columns_ = columns.columns;
    padding_ = padding;
    used_ = used;
    end_ = columns.steps * lanes<T>::size;
    std::fill(scratch_ + used_, scratch_ + end_, padding);
  }

  axis axis_;
  Storage const* values_;
  index first_column_ = 0;
  index columns_ = 0;  ///< of what lies in scratch
  T padding_ = T(0);
  index used_ = 0, end_ = block_elements;  ///< where its padding lies
  alignas(64) T scratch_[block_elements];
};

/// Writes a matrix block by block: in place where it can, else through scratch that `commit` converts, adds,
/// scatters, or streams past the caches. What goes through a window is there when the writer ends.
template <class T>
class block_writer {
 public:
  template <class Storage>
  block_writer(axis way, detail::row_view<Storage> const& matrix, bool accumulate)
      : block_writer(way, target_matrix<T>(matrix), accumulate) {}
  /// With `by_blocks` nothing of a block is overwritten before all of it is committed.
  block_writer(axis way, target_matrix<T> const& matrix, bool accumulate, bool by_blocks = false)
      : matrix_(matrix),
        window_(way, matrix, accumulate),
        accumulate_(accumulate),
        by_blocks_(by_blocks),
        streams_(!way.across && matrix.column_stride == 1 && !accumulate &&
                 bytes_of(matrix) >= streamed_bytes) {}
  block_writer(block_writer const&) = delete;
  block_writer& operator=(block_writer const&) = delete;
  ~block_writer() {
    if (window_.used()) window_.finish(matrix_, scratch_);
    if (streams_) finish_streams();
  }

  /// Where the registers of this block go, and single elements of them.
  struct target : registers<T> {
    axis way;
    index in_place = 0;   ///< elements before the tail
    bool staged = false;  ///< all of it is in scratch

    [[nodiscard]] DISTIL_INLINE T& element(index row, index column) const {
      index const place = way.at(row, column, this->step);
      return this->tail != nullptr && place >= in_place ? this->tail[place - in_place] : this->data[place];
    }
  };

  DISTIL_INLINE target open(tile const& rows, block const& columns) {
    if (window_.used()) {
      T* const data = window_.place(matrix_, scratch_, rows.first_row, rows.rows, lanes<T>::size);
      return {{data, window_.rows()}, rows.axis, 0, true};
    }
    if (!streams_ && !accumulate_ && !by_blocks_ && in_place<T>(matrix_, rows)) {
      T* const data = static_cast<T*>(matrix_.address(rows.first_row, columns.first_column));
      if (rows.axis.across) return {{data, matrix_.column_stride}, rows.axis};
      if (columns.whole == columns.steps) return {{data, lanes<T>::size}, rows.axis};
      return {{data, lanes<T>::size, scratch_}, rows.axis, columns.whole * lanes<T>::size};
    }
    return {{scratch_, lanes<T>::size}, rows.axis, 0, true};
  }

  /// Brings to the matrix what does not lie there yet.
  DISTIL_INLINE void commit(target const& written, tile const& rows, block const& columns) {
    if (window_.used()) return;
    if (written.staged) {
      commit_scratch(rows, columns);
    } else if (written.tail != nullptr) {
      lanes<T>::load(written.tail)
          .store_first(written.data + written.in_place, columns.columns - written.in_place);
    }
  }

  /// Every class of a row gets the same value; nothing happens when gradients are added.
  void fill(index row, T value) {
    if (accumulate_) return;
    if (window_.used()) {
      T* const data = window_.place(matrix_, scratch_, row, 1, 1);
      for (index column = 0; column < matrix_.columns; ++column) data[column * window_.rows()] = value;
      return;
    }
    matrix_.how->fill(value, matrix_.columns, matrix_.address(row, 0), matrix_.column_stride);
  }

 private:
  void commit_scratch(tile const& rows, block const& columns) {
    void* const to = matrix_.address(rows.first_row, columns.first_column);
    writing<T> const& how = *matrix_.how;
    int const adds = accumulate_ ? 1 : 0;
    if (!rows.axis.across) {
      if (streams_) return how.stream(scratch_, columns.columns, to);
      if (matrix_.column_stride == 1) return how.row[adds](scratch_, columns.columns, to);
      how.spread[adds](scratch_, 1, columns.columns, to, matrix_.column_stride);
    } else {
      bool const together = fills_register<T>(matrix_, rows);
      if (together && matrix_.column_stride == 1) {
        if (columns.columns == matrix_.columns) prefetch_next_tile<T, true>(to, matrix_);
        return how.tile[adds](scratch_, columns.columns, to, matrix_.row_stride);
      }
      if (together && matrix_.row_stride == 1) {
        return how.classes[adds](scratch_, columns.columns, to, matrix_.column_stride);
      }
      for (index row = 0; row < rows.rows; ++row) {
        how.spread[adds](scratch_ + row, lanes<T>::size, columns.columns,
                         matrix_.address(rows.first_row + row, columns.first_column), matrix_.column_stride);
      }
    }
  }

  target_matrix<T> matrix_;
  output_window<T> window_;
  bool accumulate_, by_blocks_, streams_;
  alignas(64) T scratch_[window_elements];
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
