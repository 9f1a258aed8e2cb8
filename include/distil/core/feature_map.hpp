#pragma once

#include <array>

#include "distil/core/matrix_view.hpp"

namespace distil {

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

/// Contiguous, channels last: N x H x W x C in memory.
template <class T>
[[nodiscard]] constexpr feature_map<T> channels_last(T* first, index samples, index channels, index height,
                                                     index width) noexcept {
  return {first,  samples, channels,
          height, width,   {height * width * channels, 1, width * channels, channels}};
}

/// Hidden states of tokens, contiguous: sequences x length x features in memory. A token is a position, its features are
/// the channels.
template <class T>
[[nodiscard]] constexpr feature_map<T> token_map(T* first, index sequences, index length,
                                                 index features) noexcept {
  return channels_last(first, sequences, features, 1, length);
}

namespace detail {

template <class>
inline constexpr bool is_feature_map = false;
template <class T>
inline constexpr bool is_feature_map<feature_map<T>> = true;

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
  } else {
    return map_of_rows(output_view(std::forward<Map>(map)));
  }
}

}  // namespace detail
}  // namespace distil
