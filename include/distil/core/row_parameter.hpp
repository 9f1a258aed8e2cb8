#pragma once

#include <concepts>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "distil/core/row_view.hpp"

namespace distil {

namespace detail {
template <class Range>
concept has_data = requires(Range const& range) {
  {*range.data()};
  { range.size() } -> std::convertible_to<index>;
};
template <class Range>
concept has_contiguous_iterators = requires(Range const& range) {
  requires std::contiguous_iterator<decltype(std::begin(range))>;
  std::size(range);
};
/// Numbers in memory that know how many they are: a span, vector, array, C array, Eigen or Armadillo vector ...
template <class Range>
concept elements = has_data<Range> || has_contiguous_iterators<Range>;

template <class Range>
constexpr auto first_element(Range const& range) noexcept {
  if constexpr (has_data<Range>) {
    return range.data();
  } else {
    return std::to_address(std::begin(range));
  }
}
template <class Range>
using element_of = std::remove_cvref_t<decltype(*first_element(std::declval<Range const&>()))>;

template <class Range, class Element>
concept vector_of = elements<Range> && std::same_as<element_of<Range>, Element>;

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

/// From one pixel of maps with one channel to the next.
template <class T>
index step_of_pixels(char const* where, char const* argument, feature_map<T> const& maps) {
  row_view<T> const pixels(maps);
  require(
      maps.channels == 1 && pixels.runs.length == 0, where, argument,
      [&] {
        return said("of maps with ", maps.channels, maps.channels == 1 ? " channel, and gaps" : " channels");
      },
      "of one channel, all pixels at one distance");
  return pixels.row_stride;
}
}  // namespace detail

/// A number that holds for every row, or one number per row: a temperature, a weight, a mixing coefficient.
///
/// Constructs from an arithmetic value, and from a span, vector, array or Eigen vector (with any stride) of
/// float or double, or a feature_map of one channel (a number for each pixel), which it views: the storage must outlive
/// the call (or, in a term of `fuse`, the objective).
class row_parameter {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr row_parameter(Number value) noexcept : number_(static_cast<double>(value)) {}

  template <class Range>
  requires detail::vector_of<Range, float>
  constexpr row_parameter(Range const& values) noexcept
      : floats_(detail::first_element(values)),
        size_(static_cast<index>(std::size(values))),
        step_(detail::step_of(values)) {}

  template <class Range>
  requires detail::vector_of<Range, double>
  constexpr row_parameter(Range const& values) noexcept
      : doubles_(detail::first_element(values)),
        size_(static_cast<index>(std::size(values))),
        step_(detail::step_of(values)) {}

  template <class Number>
  requires std::same_as < std::remove_const_t<Number>,
  float > row_parameter(feature_map<Number> const& maps)
      : floats_(maps.data),
  size_(maps.samples * maps.positions()), step_(detail::step_of_pixels("row_parameter", "values", maps)) {}

  template <class Number>
  requires std::same_as < std::remove_const_t<Number>,
  double > row_parameter(feature_map<Number> const& maps)
      : doubles_(maps.data),
  size_(maps.samples * maps.positions()), step_(detail::step_of_pixels("row_parameter", "values", maps)) {}

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
