#pragma once

#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "distil/core/matrix_view.hpp"

namespace distil {

namespace detail {
/// Refuses sizes below 0, and elements that are fewer than those of a map.
inline void require_room(char const* where, index elements, std::array<index, 4> const& shape) {
  index size = 1;
  bool valid = true, fits = true;
  for (index const count : shape) {
    valid = valid && count >= 0;
    fits = fits && (count <= 0 || size <= elements / count);
    size = fits ? size * count : size;
  }
  auto const text = [&] {
    return said(shape[0], " x ", shape[1]) + said(" x ", shape[2], " x ") + said(shape[3], "");
  };
  require(valid, where, "shape", text, "without negative sizes");
  bool const empty = shape[0] == 0 || shape[1] == 0 || shape[2] == 0 || shape[3] == 0;
  require(
      fits || empty, where, "span", [&] { return said(elements, " elements"); },
      [&] { return "at least " + text(); });
}
}  // namespace detail

/// Distances between neighbours along each axis of a feature map, counted in elements.
struct feature_strides {
  index sample = 0;
  index channel = 0;
  index row = 0;
  index column = 0;
};

/// Feature maps somebody else owns: samples x channels x height x width, in any order in memory. Element (n, c, y, x) is
/// `data[n * strides.sample + c * strides.channel + y * strides.row + x * strides.column]`.
///
/// Channels first (N x C x H x W) is the constructor's order; `channels_last` and `token_map` make the others. Where a
/// loss takes feature maps it takes a matrix, too: samples x channels with one position each.
template <class T>
struct feature_map {
  using element = T;

  T* data = nullptr;
  index samples = 0;
  index channels = 0;
  index height = 0;
  index width = 0;
  feature_strides strides = {};

  constexpr feature_map() = default;

  /// Contiguous, channels first.
  constexpr feature_map(T* first, index sample_count, index channel_count, index rows, index columns) noexcept
      : feature_map(first, sample_count, channel_count, rows, columns,
                    {channel_count * rows * columns, rows * columns, columns, 1}) {}

  /// Any strides.
  constexpr feature_map(T* first, index sample_count, index channel_count, index rows, index columns,
                        feature_strides distances) noexcept
      : data(first),
        samples(sample_count),
        channels(channel_count),
        height(rows),
        width(columns),
        strides(distances) {}

  /// Contiguous, channels first, over a span. Throws std::invalid_argument when the span is smaller than the map.
  constexpr feature_map(std::span<T> elements, index sample_count, index channel_count, index rows,
                        index columns)
      : feature_map(elements.data(), sample_count, channel_count, rows, columns) {
    detail::require_room("feature_map", static_cast<index>(elements.size()),
                         {sample_count, channel_count, rows, columns});
  }

  /// A map of mutable elements is a map of const elements.
  template <class U>
  requires(std::same_as<U const, T>) constexpr feature_map(feature_map<U> const& other) noexcept
      : feature_map(other.data, other.samples, other.channels, other.height, other.width, other.strides) {}

  [[nodiscard]] constexpr index positions() const noexcept { return height * width; }
  [[nodiscard]] constexpr index size() const noexcept { return samples * channels * positions(); }
  [[nodiscard]] constexpr std::array<index, 4> shape() const noexcept {
    return {samples, channels, height, width};
  }

  [[nodiscard]] constexpr T& operator()(index n, index c, index y, index x) const noexcept {
    return data[n * strides.sample + c * strides.channel + y * strides.row + x * strides.column];
  }
};

/// Of a vector, an array or what else a span is made of: `feature_map(features, samples, channels, height, width)`.
template <class Range>
requires requires(Range&& range) { std::span(std::forward<Range>(range)); }
feature_map(Range&&, index, index, index, index)
    ->feature_map<typename decltype(std::span(std::declval<Range>()))::element_type>;

/// Contiguous, channels last: N x H x W x C in memory.
template <class T>
[[nodiscard]] constexpr feature_map<T> channels_last(T* first, index samples, index channels, index height,
                                                     index width) noexcept {
  return {first,  samples, channels,
          height, width,   {height * width * channels, 1, width * channels, channels}};
}

/// The same of a vector, an array or a span, which is refused when it is smaller than the map.
template <class Range>
requires requires(Range&& range) { std::span(std::forward<Range>(range)); }
[[nodiscard]] constexpr auto channels_last(Range&& range, index samples, index channels, index height,
                                           index width) {
  feature_map const elements(std::forward<Range>(range), samples, channels, height, width);
  return channels_last(elements.data, samples, channels, height, width);
}

/// Hidden states of tokens, contiguous: sequences x length x features in memory. A token is a position, its features are
/// the channels.
template <class T>
[[nodiscard]] constexpr feature_map<T> token_map(T* first, index sequences, index length,
                                                 index features) noexcept {
  return channels_last(first, sequences, features, 1, length);
}
/// The same of a vector, an array or a span.
template <class Range>
requires requires(Range&& range) { std::span(std::forward<Range>(range)); }
[[nodiscard]] constexpr auto token_map(Range&& range, index sequences, index length, index features) {
  return channels_last(std::forward<Range>(range), sequences, features, 1, length);
}

/// The feature_map of a std::mdspan, or of what has its face, whose axes are samples, channels, height and width. Losses take
/// such a span as it is.
template <class Span>
requires detail::strided_span<Span, 4>
[[nodiscard]] constexpr auto map_of(Span const& span) noexcept {
  using element = std::remove_reference_t<decltype(*span.data_handle())>;
  auto const size = [&](std::size_t axis) { return static_cast<index>(span.extent(axis)); };
  auto const stride = [&](std::size_t axis) { return static_cast<index>(span.stride(axis)); };
  return feature_map<element>(span.data_handle(), size(0), size(1), size(2), size(3),
                              {stride(0), stride(1), stride(2), stride(3)});
}

namespace detail {

template <class>
inline constexpr bool is_feature_map = false;
template <class T>
inline constexpr bool is_feature_map<feature_map<T>> = true;

/// Of four axes.
template <class Map>
inline constexpr bool is_map = is_feature_map<Map> || strided_span<Map, 4>;

/// A matrix as maps of one position: a sample a row.
template <class T>
[[nodiscard]] constexpr feature_map<T> map_of_rows(matrix_view<T> const& matrix) noexcept {
  return {matrix.data, matrix.rows, matrix.columns, 1, 1, {matrix.row_stride, matrix.column_stride, 0, 0}};
}

/// A matrix as the map of one sample: a channel a row.
template <class T>
[[nodiscard]] constexpr feature_map<T> map_of_matrix(matrix_view<T> const& matrix) noexcept {
  return {matrix.data, 1, matrix.rows, 1, matrix.columns, {0, matrix.row_stride, 0, matrix.column_stride}};
}

/// The map through which a loss reads, of a feature map or a matrix.
template <class Map>
[[nodiscard]] constexpr auto input_map(Map const& map) noexcept {
  if constexpr (is_feature_map<Map>) {
    using element = std::remove_const_t<typename Map::element>;
    static_assert(
        storage<element>,
        "distil: the element type must be float, double, distil::bfloat16, distil::half, or a 16-bit "
        "type for which distil::arithmetic_of is specialised");
    return feature_map<element const>(map);
  } else if constexpr (strided_span<Map, 4>) {
    return input_map(map_of(map));
  } else {
    return map_of_rows(input_view(map));
  }
}

/// The map through which a loss writes.
template <class Map>
[[nodiscard]] constexpr auto output_map(Map&& map) noexcept {
  if constexpr (is_feature_map<std::remove_cvref_t<Map>>) {
    using element = typename std::remove_cvref_t<Map>::element;
    static_assert(!std::is_const_v<element>, "distil: the gradient is written, so it must not be const");
    static_assert(
        storage<element>,
        "distil: the element type must be float, double, distil::bfloat16, distil::half, or a 16-bit "
        "type for which distil::arithmetic_of is specialised");
    return feature_map<element>(map);
  } else if constexpr (strided_span<std::remove_cvref_t<Map>, 4>) {
    return output_map(map_of(map));
  } else {
    return map_of_rows(output_view(std::forward<Map>(map)));
  }
}

}  // namespace detail
}  // namespace distil
