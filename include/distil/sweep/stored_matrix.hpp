#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "distil/core/loss_face.hpp"
#include "distil/core/shapes.hpp"
#include "distil/simd/transpose.hpp"

/// Matrices whose element type is known at run time alone: sweeps are compiled for the arithmetic type T, whatever the
/// matrices are stored in. What depends on the storage is a few functions that move a block at a time, behind pointers.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A matrix in memory of any element type, and `How` its elements are moved.
template <class Memory, class How>
struct stored_matrix {
  Memory* data = nullptr;
  index rows = 0, columns = 0, row_stride = 0, column_stride = 1;
  How const* how = nullptr;
  detail::row_runs runs = {};

  stored_matrix() = default;
  template <class Storage>
  stored_matrix(detail::row_view<Storage> const& matrix, How const& of_storage)
      : data(matrix.data),
        rows(matrix.rows),
        columns(matrix.columns),
        row_stride(matrix.row_stride),
        column_stride(matrix.column_stride),
        how(&of_storage),
        runs(matrix.runs) {}

  [[nodiscard]] index element_bytes() const { return how != nullptr ? how->bytes : 0; }
  [[nodiscard]] DISTIL_INLINE Memory* address(index row, index column) const {
    using byte = std::conditional_t<std::is_const_v<Memory>, char const, char>;
    return static_cast<byte*>(data) + (runs.offset(row, row_stride) + column * column_stride) * how->bytes;
  }
};

/// How elements of a storage type reach the lanes.
template <class T>
struct reading {
  index bytes;
  bool is_arithmetic;  ///< the elements are T themselves
  T (*one)(void const* from);
  void (*row)(void const* from, index count, T* to);                             ///< neighbours
  void (*tile)(void const* from, index row_stride, index columns, T* to);        ///< rows to lanes
  void (*classes)(void const* from, index column_stride, index columns, T* to);  ///< a register of each class
  void (*spread)(void const* from, index count, index stride, T* to, index step);  ///< any strides
};

template <class T, class Storage>
struct reads {
  static Storage const* at(void const* from) { return static_cast<Storage const*>(from); }
  static T one(void const* from) { return detail::widen<T>(*at(from)); }
  static void row(void const* from, index count, T* to) { widen_row(at(from), count, to); }
  static void tile(void const* from, index row_stride, index columns, T* to) {
    rows_to_lanes(at(from), row_stride, columns, to);
  }
  static void classes(void const* from, index column_stride, index columns, T* to) {
    for (index column = 0; column < columns; ++column) {
      load_as<T>(at(from) + column * column_stride).store(to + column * lanes<T>::size);
    }
  }
  static void spread(void const* from, index count, index stride, T* to, index step) {
    for (index i = 0; i < count; ++i) to[i * step] = detail::widen<T>(at(from)[i * stride]);
  }
  static constexpr reading<T> how{
      static_cast<index>(sizeof(Storage)), std::is_same_v<Storage, T>, &one, &row, &tile, &classes, &spread};
};

/// A matrix that is read.
template <class T>
struct source_matrix : stored_matrix<void const, reading<T>> {
  using base = stored_matrix<void const, reading<T>>;

  source_matrix() = default;
  template <class Storage>
  explicit source_matrix(detail::row_view<Storage> const& matrix)
      : base(matrix, reads<T, std::remove_const_t<Storage>>::how) {}

  [[nodiscard]] DISTIL_INLINE T operator()(index row, index column) const {
    void const* const place = this->address(row, column);
    return this->how->is_arithmetic ? *static_cast<T const*>(place) : this->how->one(place);
  }
};

/// How lanes reach elements of a storage type: overwriting them, or adding to them.
template <class T>
struct writing {
  index bytes;
  bool is_arithmetic;
  void (*row[2])(T const* from, index count, void* to);
  void (*stream)(T const* from, index count, void* to);  ///< past the caches
  void (*tile[2])(T const* from, index columns, void* to, index row_stride);
  void (*classes[2])(T const* from, index columns, void* to, index column_stride);
  void (*spread[2])(T const* from, index step, index count, void* to, index stride);
  void (*fill)(T value, index count, void* to, index stride);
};

template <class T, class Storage>
struct writes {
  static Storage* at(void* to) { return static_cast<Storage*>(to); }
  template <bool Adds>
  static void row(T const* from, index count, void* to) {
    narrow_row<Adds>(from, count, at(to));
  }
  static void stream(T const* from, index count, void* to) { stream_row(from, count, at(to)); }
  template <bool Adds>
  static void tile(T const* from, index columns, void* to, index row_stride) {
    lanes_to_rows<Adds>(from, columns, at(to), row_stride);
  }
  template <bool Adds>
  static void classes(T const* from, index columns, void* to, index column_stride) {
    for (index column = 0; column < columns; ++column) {
      narrow_row<Adds>(from + column * lanes<T>::size, lanes<T>::size, at(to) + column * column_stride);
    }
  }
  template <bool Adds>
  static void spread(T const* from, index step, index count, void* to, index stride) {
    for (index i = 0; i < count; ++i) {
      Storage& element = at(to)[i * stride];
      T const before = Adds ? detail::widen<T>(element) : T(0);
      element = detail::narrow<Storage>(Adds ? before + from[i * step] : from[i * step]);
    }
  }
  static void fill(T value, index count, void* to, index stride) {
    Storage const stored = detail::narrow<Storage>(value);
    if (stride == 1) {
      std::fill_n(at(to), count, stored);
    } else {
      for (index i = 0; i < count; ++i) at(to)[i * stride] = stored;
    }
  }
  static constexpr writing<T> how{static_cast<index>(sizeof(Storage)), std::is_same_v<Storage, T>,
                                  {&row<false>, &row<true>},           &stream,
                                  {&tile<false>, &tile<true>},         {&classes<false>, &classes<true>},
                                  {&spread<false>, &spread<true>},     &fill};
};

/// A matrix that is written, or none.
template <class T>
struct target_matrix : stored_matrix<void, writing<T>> {
  using base = stored_matrix<void, writing<T>>;

  target_matrix() = default;
  explicit target_matrix(detail::no_gradient) {}
  template <class Storage>
  explicit target_matrix(detail::row_view<Storage> const& matrix) : base(matrix, writes<T, Storage>::how) {}

  /// Whether one is wanted.
  [[nodiscard]] explicit operator bool() const { return this->how != nullptr; }
};

template <class Matrix>
[[nodiscard]] detail::matrix_extent extent_of(Matrix const& matrix) {
  detail::matrix_extent extent;
  extent.data = matrix.data;
  extent.rows = matrix.rows;
  extent.columns = matrix.columns;
  extent.row_stride = matrix.row_stride;
  extent.column_stride = matrix.column_stride;
  extent.element_bytes = matrix.element_bytes();
  extent.runs = matrix.runs;
  return extent;
}

/// Whether all classes of a row are masked. The first nearly always says that they are not.
template <class T>
bool fully_masked(source_matrix<T> const& logits, index row) {
  for (index column = 0; column < logits.columns; ++column) {
    if (logits(row, column) != -infinity<T>) return false;
  }
  return true;
}

/// Whether the first class of some row is masked: only then can a row be fully masked.
template <class T>
bool any_begins_masked(source_matrix<T> const& logits) {
  if (logits.columns == 0) return true;
  for (index row = 0; row < logits.rows; ++row) {
    if (logits(row, 0) == -infinity<T>) return true;
  }
  return false;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
