#pragma once

#include <concepts>
#include <type_traits>

#include "distil/core/matrix_view.hpp"

namespace distil {

namespace detail {
template <class Range, class Element>
concept vector_of = requires(Range const& range) {
  { range.data() } -> std::convertible_to<Element const*>;
  { range.size() } -> std::convertible_to<index>;
};

/// From one element to the next: what an Eigen vector says, such as a column of a row-major matrix, else 1.
template <class Range>
constexpr index step_of(Range const& range) noexcept {
  if constexpr (requires {
                  { range.innerStride() } -> std::convertible_to<index>;
                }) {
    return static_cast<index>(range.innerStride());
  } else {
    return 1;
  }
}
}  // namespace detail

/// A number that holds for every row, or one number per row: a temperature, a weight, a mixing coefficient.
///
/// Constructs from an arithmetic value, and from a span, vector, array or Eigen vector (with any stride) of
/// float or double, which it views: the storage must outlive the call (or, in a term of `fuse`, the
/// objective).
class row_parameter {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr row_parameter(Number value) noexcept : number_(static_cast<double>(value)) {}

  template <class Range>
  requires detail::vector_of<Range, float>
  constexpr row_parameter(Range const& values) noexcept
      : floats_(values.data()), size_(static_cast<index>(values.size())), step_(detail::step_of(values)) {}

  template <class Range>
  requires detail::vector_of<Range, double>
  constexpr row_parameter(Range const& values) noexcept
      : doubles_(values.data()), size_(static_cast<index>(values.size())), step_(detail::step_of(values)) {}

  [[nodiscard]] constexpr bool per_row() const noexcept { return size_ >= 0; }

  /// Number of values: the rows it was made for, or -1 when one number holds for all.
  [[nodiscard]] constexpr index size() const noexcept { return size_; }

  [[nodiscard]] constexpr double operator[](index row) const noexcept {
    if (floats_ != nullptr) return static_cast<double>(floats_[row * step_]);
    if (doubles_ != nullptr) return doubles_[row * step_];
    return number_;
  }

 private:
  double number_ = 0.0;
  float const* floats_ = nullptr;
  double const* doubles_ = nullptr;
  index size_ = -1;
  index step_ = 1;
};

}  // namespace distil
