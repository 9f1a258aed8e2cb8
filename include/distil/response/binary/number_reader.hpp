#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "distil/core/number_matrix.hpp"
#include "distil/response/cross_entropy/targets.hpp"
#include "distil/sweep/blocks.hpp"

/// Matrices of numbers of any kind on their way to the lanes. Their kind is looked at once for a run of elements, so
/// that nothing else is compiled for each.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

template <class T, class Number>
DISTIL_INLINE void read_numbers_of(void const* from, index count, index stride, T* to, index step) {
  auto const* const numbers = static_cast<Number const*>(from);
  if constexpr (!std::is_integral_v<Number>) {
    if (stride == 1 && step == 1) return simd::widen_row(numbers, count, to);
    for (index i = 0; i < count; ++i) to[i * step] = detail::widen<T>(numbers[i * stride]);
  } else {
    index i = 0;
    if (stride == 1 && step == 1) {
      // So many at once, and apart from what they are read from, that compilers vectorise it at -O2.
      constexpr index size = 2 * simd::lanes<T>::size;
      for (; i + size <= count; i += size) {
        using whole = std::conditional_t<(sizeof(Number) < sizeof(std::int32_t)), std::int32_t, Number>;
        whole given[static_cast<std::size_t>(size)];
        T values[static_cast<std::size_t>(size)];
        for (index j = 0; j < size; ++j) given[j] = numbers[i + j];
        for (index j = 0; j < size; ++j) values[j] = static_cast<T>(given[j]);
        simd::lanes<T>::load(values).store(to + i);
        simd::lanes<T>::load(values + size / 2).store(to + i + size / 2);
      }
    }
    for (; i < count; ++i) to[i * step] = static_cast<T>(numbers[i * stride]);
  }
}

/// So many elements, `stride` apart, into T's that are `step` apart.
template <class T>
[[gnu::noinline]] void read_numbers(number_kind kind, void const* from, index count, index stride, T* to,
                                    index step) {
  switch (kind) {
    case number_kind::none:
      return;
    case number_kind::float32:
      return read_numbers_of<T, float>(from, count, stride, to, step);
    case number_kind::float64:
      return read_numbers_of<T, double>(from, count, stride, to, step);
    case number_kind::bfloat16:
      return read_numbers_of<T, bfloat16>(from, count, stride, to, step);
    case number_kind::half:
      return read_numbers_of<T, half>(from, count, stride, to, step);
    case number_kind::int8:
      return read_numbers_of<T, signed char>(from, count, stride, to, step);
    case number_kind::uint8:
      return read_numbers_of<T, unsigned char>(from, count, stride, to, step);
    case number_kind::int16:
      return read_numbers_of<T, std::int16_t>(from, count, stride, to, step);
    case number_kind::uint16:
      return read_numbers_of<T, std::uint16_t>(from, count, stride, to, step);
    case number_kind::int32:
      return read_numbers_of<T, std::int32_t>(from, count, stride, to, step);
    case number_kind::uint32:
      return read_numbers_of<T, std::uint32_t>(from, count, stride, to, step);
    case number_kind::int64:
      return read_numbers_of<T, std::int64_t>(from, count, stride, to, step);
    case number_kind::uint64:
      return read_numbers_of<T, std::uint64_t>(from, count, stride, to, step);
  }
}

/// Whether all numbers are integers 0 and 1, as far as that is quick to tell: at the speed of memory.
inline bool are_bits(number_matrix const& matrix) {
  detail::matrix_extent const& of = matrix.extent();
  bool const down = of.row_stride == 1;
  if (matrix.kind() < number_kind::int8 || of.runs.length != 0 || (!down && of.column_stride != 1)) {
    return false;
  }
  auto const bytes = static_cast<std::size_t>(of.element_bytes);
  std::uint64_t others = 0;  // all bits of elements but their lowest
  for (std::size_t at = 0; at < sizeof others; at += bytes) {
    std::uint64_t const lowest = std::endian::native == std::endian::big ? 8 * (at + bytes - 1) : 8 * at;
    others |= std::uint64_t{1} << lowest;
  }
  others = ~others;
  index const lines = down ? of.columns : of.rows, length = down ? of.rows : of.columns;
  for (index line = 0; line < lines; ++line) {
    void const* const begin = down ? matrix.address(0, line) : matrix.address(line, 0);
    if (detail::any_bit(begin, static_cast<std::size_t>(length) * bytes, others)) return false;
  }
  return true;
}

/// Looks at rows of a matrix run by run: `look(numbers, count)` gets registers, the last of them filled up with 1/2,
/// and says whether to look on. Returns where it did not; row -1 where it did to the end.
struct run_of_numbers {
  index row, column, count;
  bool down;  ///< a column, else a row
};
template <class Look>
run_of_numbers look_at_numbers(number_matrix const& matrix, index first_row, index rows, Look const& look) {
  constexpr index most = 256, size = simd::lanes<double>::size;
  detail::matrix_extent const& of = matrix.extent();
  alignas(64) double numbers[most + size];
  bool const down = of.columns < rows && (of.row_stride < of.column_stride || of.columns < 8);
  index const lines = down ? of.columns : rows, length = down ? rows : of.columns;
  index const stride = down ? of.row_stride : of.column_stride;
  for (index line = 0; line < lines; ++line) {
    for (index first = 0, count = 0; first < length; first += count) {
      count = std::min(most, length - first);
      if (down) count = of.runs.left(first_row + first, count);
      index const row = first_row + (down ? first : line), column = down ? line : first;
      read_numbers(matrix.kind(), matrix.address(row, column), count, stride, numbers, 1);
      simd::lanes<double>(0.5).store(numbers + count);
      if (!look(static_cast<double const*>(numbers), (count + size - 1) / size)) {
        return {row, column, count, down};
      }
    }
  }
  return {-1, -1, 0, false};
}

/// Reads such a matrix block by block, as `block_reader` does. Lanes past the last class or the last row hold
/// `padding`.
template <class T>
class number_reader {
  static constexpr index size = simd::lanes<T>::size;
  using strip = simd::strip<T>;

 public:
  number_reader(simd::axis, number_matrix const& matrix) : matrix_(matrix) {}

  [[nodiscard]] bool given() const { return matrix_.given(); }

  DISTIL_INLINE strip open(simd::tile const& rows, simd::block const& columns, T padding) {
    detail::matrix_extent const& of = matrix_.extent();
    if (matrix_.kind() == detail::kind_of_number<T>()) {
      auto const* const data = static_cast<T const*>(matrix_.address(rows.first_row, columns.first_column));
      bool const whole = rows.rows == size && of.runs.together(rows.first_row, rows.rows);
      if (rows.axis.across && of.row_stride == 1 && whole) return {data, of.column_stride};
      if (!rows.axis.across && of.column_stride == 1) {
        index const rest = columns.columns - columns.whole * size;
        if (rest == 0) return {data, size};
        simd::lanes<T>::load_first(data + columns.whole * size, rest, padding).store(scratch_);
        return {data, size, scratch_};
      }
    }
    pack(rows, columns, padding);
    return {scratch_, size};
  }

 private:
  [[gnu::noinline]] void pack(simd::tile const& rows, simd::block const& columns, T padding) {
    detail::matrix_extent const& of = matrix_.extent();
    if (!rows.axis.across) {
      simd::lanes<T>(padding).store(scratch_ + (columns.steps - 1) * size);
      return read(rows.first_row, columns.first_column, columns.columns, of.column_stride, scratch_, 1);
    }
    if (rows.rows < size) std::fill(scratch_, scratch_ + columns.steps * size, padding);
    if ((of.row_stride == 1 || columns.columns < size) && of.runs.together(rows.first_row, rows.rows)) {
      for (index column = 0; column < columns.columns; ++column) {
        read(rows.first_row, columns.first_column + column, rows.rows, of.row_stride,
             scratch_ + column * size, 1);
      }
    } else {
      for (index row = 0; row < rows.rows; ++row) {
        read(rows.first_row + row, columns.first_column, columns.columns, of.column_stride, scratch_ + row,
             size);
      }
    }
  }
  void read(index row, index column, index count, index stride, T* to, index step) const {
    read_numbers(matrix_.kind(), matrix_.address(row, column), count, stride, to, step);
  }

  number_matrix matrix_;
  alignas(64) T scratch_[simd::block_elements];
};

/// One number for all classes, or one of each, in the shape of the other operands.
template <class T>
class class_parameter_reader {
 public:
  class_parameter_reader(simd::axis way, row_parameter const& numbers) : axis_(way), numbers_(numbers) {}

  /// What an earlier call left is used again.
  [[gnu::noinline]] simd::strip<T> open(simd::block const& columns) {
    if (columns.first_column != first_column_ || columns.columns != columns_) {
      index const step = axis_.across ? simd::lanes<T>::size : 1;
      std::fill(scratch_, scratch_ + columns.steps * simd::lanes<T>::size, T(0));
      for (index column = 0; column < columns.columns; ++column) {
        T const number = static_cast<T>(numbers_[columns.first_column + column]);
        std::fill_n(scratch_ + column * step, step, number);
      }
      first_column_ = columns.first_column;
      columns_ = columns.columns;
    }
    return {scratch_, simd::lanes<T>::size};
  }

 private:
  simd::axis axis_;
  row_parameter numbers_;
  index first_column_ = -1, columns_ = 0;
  alignas(64) T scratch_[simd::block_elements];
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
