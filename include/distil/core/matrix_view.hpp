#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "distil/core/contract.hpp"
#include "distil/core/float16.hpp"

/// Views never own and never copy.
namespace distil {

/// Sizes and strides. Signed, as Eigen's, so that differences need no care.
using index = std::ptrdiff_t;

/// A matrix somebody else owns: element (row, column) is `data[row * row_stride + column * column_stride]`.
///
/// Samples contiguous per row (`column_stride == 1`) is the fast path; class-major storage (`row_stride ==
/// 1`) has vertical kernels of its own; every other pair of strides works. Padded vocabularies are `columns <
/// row_stride`: what lies between is neither read nor written. A const view has a const element type.
template <class T>
struct matrix_view {
  using element = T;

  T* data = nullptr;
  index rows = 0;
  index columns = 0;
  index row_stride = 0;
  index column_stride = 1;

  constexpr matrix_view() = default;

  /// Contiguous rows.
  constexpr matrix_view(T* first, index row_count, index column_count) noexcept
      : matrix_view(first, row_count, column_count, column_count) {}

  /// Any strides, counted in elements.
  constexpr matrix_view(T* first, index row_count, index column_count, index stride_of_rows,
                        index stride_of_columns = 1) noexcept
      : data(first),
        rows(row_count),
        columns(column_count),
        row_stride(stride_of_rows),
        column_stride(stride_of_columns) {}

  /// Contiguous rows over a span. Throws std::invalid_argument when the span is smaller than rows * columns.
  constexpr matrix_view(std::span<T> elements, index row_count, index column_count)
      : matrix_view(elements.data(), row_count, column_count) {
    detail::require(
        row_count >= 0 && column_count >= 0, "matrix_view", "shape",
        [&] { return detail::said(row_count, " x ", column_count); }, "without negative sizes");
    index const size = static_cast<index>(elements.size());
    detail::require(
        column_count == 0 || size / column_count >= row_count, "matrix_view", "span",
        [&] { return detail::said(size, " elements"); },
        [&] { return detail::said("at least ", row_count, " x ", column_count); });
  }

  /// A view of mutable elements is a view of const elements.
  template <class U>
  requires(std::same_as<U const, T>) constexpr matrix_view(matrix_view<U> const& other) noexcept
      : matrix_view(other.data, other.rows, other.columns, other.row_stride, other.column_stride) {}

  [[nodiscard]] constexpr T& operator()(index row, index column) const noexcept {
    return data[row * row_stride + column * column_stride];
  }
};

template <class T>
matrix_view(T*, index, index) -> matrix_view<T>;
template <class T>
matrix_view(T*, index, index, index) -> matrix_view<T>;
template <class T>
matrix_view(T*, index, index, index, index) -> matrix_view<T>;
template <class T>
matrix_view(std::span<T>, index, index) -> matrix_view<T>;
/// Of a vector, an array or what else a span is made of: `matrix_view(logits, rows, columns)`.
template <class Range>
requires requires(Range&& range) { std::span(std::forward<Range>(range)); }
matrix_view(Range&&, index, index)
    ->matrix_view<typename decltype(std::span(std::declval<Range>()))::element_type>;

/// Columns one behind the other, as Fortran, Armadillo and Eigen by default have them.
template <class T>
[[nodiscard]] constexpr matrix_view<T> column_major(T* first, index rows, index columns) noexcept {
  return {first, rows, columns, 1, rows};
}
/// The same of a vector, an array or a span, which is refused when it is smaller than rows * columns.
template <class Range>
requires requires(Range&& range) { std::span(std::forward<Range>(range)); }
[[nodiscard]] constexpr auto column_major(Range&& range, index rows, index columns) {
  matrix_view const elements(std::forward<Range>(range), rows, columns);
  return column_major(elements.data, rows, columns);
}

namespace detail {

template <class>
inline constexpr bool is_view = false;
template <class T>
inline constexpr bool is_view<matrix_view<T>> = true;

// Eigen's direct-access interface, recognised by its shape so that Eigen need not be included.
template <class Matrix>
concept direct_access = requires(Matrix& matrix) {
  {*matrix.data()};
  { matrix.rows() } -> std::convertible_to<index>;
  { matrix.cols() } -> std::convertible_to<index>;
  { matrix.rowStride() } -> std::convertible_to<index>;
  { matrix.colStride() } -> std::convertible_to<index>;
};

/// A std::mdspan of so many axes, or what has its face: recognised by its shape, since few standard libraries have it.
template <class Span, std::size_t Axes>
concept strided_span = requires(Span const& span) {
  requires Span::rank()
  == Axes;
  {*span.data_handle()};
  { span.extent(0) } -> std::convertible_to<index>;
  { span.stride(0) } -> std::convertible_to<index>;
};

// Eigen's Matrix and Array have elements of their own; their maps, blocks and references do not.
template <class Matrix>
concept owns_elements = requires {
  typename Matrix::PlainObject;
}
&&std::same_as<typename Matrix::PlainObject, Matrix>;

/// Refuses an owner that goes when the call ends, and what is written to it.
template <class Argument, class Owner = std::remove_cvref_t<Argument>>
constexpr void require_stays() {
  static_assert(
      std::is_lvalue_reference_v<Argument> || !owns_elements<Owner>,
      "distil: a temporary matrix is lost after the call, and all that is written to it. Pass a matrix "
      "that stays, or a view of one");
}

template <class Matrix>
inline constexpr bool is_column_vector = false;
template <class Matrix>
requires requires { Matrix::ColsAtCompileTime; }
inline constexpr bool is_column_vector<Matrix> = static_cast<int>(Matrix::ColsAtCompileTime) == 1;

}  // namespace detail

/// A view of anything that has elements in memory: a matrix_view, a std::mdspan of two axes, or a matrix with Eigen's
/// direct-access interface (Matrix, Map, Ref, Block, transpose). A type that would need a copy, such as an expression, is
/// refused, and so is a temporary that owns its elements: the view would outlive them.
template <class Matrix>
[[nodiscard]] constexpr auto view(Matrix&& matrix) noexcept {
  using plain = std::remove_cvref_t<Matrix>;
  detail::require_stays<Matrix>();
  if constexpr (detail::is_view<plain>) {
    return plain(matrix);
  } else if constexpr (detail::direct_access<Matrix>) {
    using element = std::remove_reference_t<decltype(*matrix.data())>;
    return matrix_view<element>(matrix.data(), static_cast<index>(matrix.rows()),
                                static_cast<index>(matrix.cols()), static_cast<index>(matrix.rowStride()),
                                static_cast<index>(matrix.colStride()));
  } else if constexpr (detail::strided_span<plain, 2>) {
    using element = std::remove_reference_t<decltype(*matrix.data_handle())>;
    return matrix_view<element>(matrix.data_handle(), static_cast<index>(matrix.extent(0)),
                                static_cast<index>(matrix.extent(1)), static_cast<index>(matrix.stride(0)),
                                static_cast<index>(matrix.stride(1)));
  } else {
    static_assert(
        detail::direct_access<Matrix>,
        "distil: this argument would need a copy. Pass a distil::matrix_view or a matrix with elements "
        "in memory (for an Eigen expression: evaluate it into a Matrix first)");
  }
}

namespace detail {

/// The view through which a loss reads.
template <class Matrix>
[[nodiscard]] constexpr auto input_view(Matrix const& matrix) noexcept {
  auto const seen = view(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  static_assert(
      storage<element>,
      "distil: the element type must be float, double, distil::bfloat16, distil::half, or a 16-bit type "
      "for which distil::arithmetic_of is specialised");
  return matrix_view<element const>(seen);
}

/// The view through which a loss reads rows of logits. Of features, ids or costs a column may be meant.
template <class Matrix>
[[nodiscard]] constexpr auto logits_view(Matrix const& matrix) noexcept {
  static_assert(
      !is_column_vector<Matrix>,
      "distil: a column vector is many rows of one class, whose loss is 0. Pass its .transpose() for one "
      "row of logits");
  return input_view(matrix);
}

/// The view through which a loss writes what its caller forwards: a temporary owner is refused.
template <class Matrix>
[[nodiscard]] constexpr auto output_view(Matrix&& matrix) noexcept {
  auto const seen = view(std::forward<Matrix>(matrix));
  using element = typename decltype(seen)::element;
  static_assert(!std::is_const_v<element>, "distil: the gradient is written, so it must not be const");
  static_assert(
      storage<element>,
      "distil: the element type must be float, double, distil::bfloat16, distil::half, or a 16-bit type "
      "for which distil::arithmetic_of is specialised");
  return seen;
}

}  // namespace detail
}  // namespace distil
