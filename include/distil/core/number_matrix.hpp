#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "distil/core/number_kind.hpp"
#include "distil/core/row_parameter.hpp"
#include "distil/core/shapes.hpp"

namespace distil {

namespace detail {

template <class Element>
concept number_element = kind_of_number<std::remove_cv_t<Element>>()
!= number_kind::none;

template <class Matrix>
concept matrix_of_numbers = (is_view<Matrix> &&
                             requires { requires number_element<typename Matrix::element>; }) ||
                            (direct_access<Matrix const> && requires(Matrix const& matrix) {
                              requires number_element<std::remove_reference_t<decltype(*matrix.data())>>;
                            });

/// A vector, span or array of numbers.
template <class Range>
concept list_of_numbers = !is_view<Range> && !direct_access<Range const> && elements<Range> && requires {
  requires number_element<element_of<Range>>;
};

}  // namespace detail

/// A matrix of numbers of any kind, which a loss reads besides its logits: targets of elements, their weights. Floating
/// point of 16 to 64 bits, integers of 8 to 64, `bool`.
///
/// Numbers are converted to the type that a loss computes in. Constructs from what `view` takes, and from a vector,
/// span or array, which is a column. It views: the elements must outlive the call (or, in a term of `fuse`, the
/// objective). A stride of 0 repeats a row or a column.
class number_matrix {
 public:
  constexpr number_matrix() = default;

  template <class Matrix>
  requires detail::matrix_of_numbers<Matrix>
  constexpr number_matrix(Matrix const& matrix) noexcept {
    auto const seen = view(matrix);
    kind_ = detail::kind_of_number<std::remove_const_t<typename decltype(seen)::element>>();
    extent_ = detail::matrix_extent(seen);
  }

  template <class Range>
  requires detail::list_of_numbers<Range>
  constexpr number_matrix(Range const& numbers) noexcept
      : number_matrix(matrix_view(detail::first_element(numbers), static_cast<index>(std::size(numbers)),
                                  index{1}, detail::step_of(numbers))) {}

  /// Of maps: a row for each pixel.
  template <class Number>
  requires detail::number_element<Number>
  constexpr number_matrix(feature_map<Number> const& maps) noexcept
      : kind_(detail::kind_of_number<std::remove_const_t<Number>>()),
        extent_(detail::row_view<Number>(maps)) {}

  [[nodiscard]] constexpr number_kind kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr bool given() const noexcept { return kind_ != number_kind::none; }
  [[nodiscard]] constexpr detail::matrix_extent const& extent() const noexcept { return extent_; }

  [[nodiscard]] void const* address(index row, index column) const noexcept {
    return static_cast<char const*>(extent_.data) +
           (extent_.runs.offset(row, extent_.row_stride) + column * extent_.column_stride) *
               extent_.element_bytes;
  }

  /// The elements of a single column as rows of so many.
  [[nodiscard]] constexpr number_matrix column_in_rows_of(index width) const noexcept {
    number_matrix result = *this;
    result.extent_.rows = extent_.rows / width;
    result.extent_.columns = width;
    result.extent_.column_stride = extent_.row_stride;
    result.extent_.row_stride = width * extent_.row_stride;
    return result;
  }

 private:
  number_kind kind_ = number_kind::none;
  detail::matrix_extent extent_ = {};
};

}  // namespace distil
