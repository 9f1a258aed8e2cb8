#pragma once

#include "distil/core/feature_map.hpp"

/// How losses of rows see what they are given: the rows of a matrix, or the pixels of feature maps.
namespace distil::detail {

/// Rows that lie in runs, the lines of images: within a run at one distance, which the view has, and the runs of an image
/// at another.
struct row_runs {
  index length = 0;  ///< rows of a run; 0: all rows are one
  index count = 1;   ///< runs of an image
  index stride = 0, image_stride = 0;
  index first = 0;  ///< rows before the first of the view

  [[nodiscard]] constexpr index offset(index row, index row_stride) const noexcept {
    return length == 0 ? row * row_stride : offset_in_runs(row, row_stride);
  }
  friend constexpr bool operator==(row_runs const&, row_runs const&) = default;

  /// Whether some rows are of one run.
  [[nodiscard]] constexpr bool together(index row, index rows) const noexcept {
    return length == 0 || left(row, rows) == rows;
  }
  /// How many rows from one on, of so many at most, are of its run.
#if defined(__GNUC__)
  [[gnu::noinline]]
#endif
  [[nodiscard]] constexpr index
  left(index row, index most) const noexcept {
    if (length == 0) return most;
    index const rest = length - (first + row) % length;
    return rest < most ? rest : most;
  }

 private:
  // Divisions are kept out of what is inlined wherever a matrix is read.
#if defined(__GNUC__)
  [[gnu::noinline]]
#endif
  [[nodiscard]] constexpr index
  offset_in_runs(index row, index row_stride) const noexcept {
    index const place = first + row, run = place / length;
    return run / count * image_stride + run % count * stride + place % length * row_stride;
  }
};

/// Rows somebody else owns: element (row, column) is `data[runs.offset(row, row_stride) + column * column_stride]`.
template <class T>
struct row_view {
  using element = T;

  T* data = nullptr;
  index rows = 0;
  index columns = 0;
  index row_stride = 0;
  index column_stride = 1;
  row_runs runs = {};

  constexpr row_view() = default;
  constexpr row_view(matrix_view<T> const& matrix) noexcept
      : data(matrix.data),
        rows(matrix.rows),
        columns(matrix.columns),
        row_stride(matrix.row_stride),
        column_stride(matrix.column_stride) {}
  /// Every pixel is a row, in the order n, y, x; its channels are the classes.
  constexpr explicit row_view(feature_map<T> const& map) noexcept
      : data(map.data), rows(map.samples * map.positions()), columns(map.channels) {
    feature_strides const& s = map.strides;
    column_stride = s.channel;
    // Axes with one place have any stride: the last with more says how far rows are apart.
    bool const lines = map.height > 1, images = map.samples > 1;
    row_stride = map.width > 1 ? s.column : lines ? s.row : s.sample;
    bool const flat = !lines || s.row == map.width * row_stride;
    if (flat && (!images || s.sample == map.positions() * row_stride)) return;
    runs = {flat ? map.positions() : map.width, flat ? 1 : map.height, s.row, s.sample};
  }
  template <class U>
  requires(std::same_as<U const, T>) constexpr row_view(row_view<U> const& other) noexcept
      : data(other.data),
        rows(other.rows),
        columns(other.columns),
        row_stride(other.row_stride),
        column_stride(other.column_stride),
        runs(other.runs) {}

  [[nodiscard]] constexpr T& operator()(index row, index column) const noexcept {
    return data[runs.offset(row, row_stride) + column * column_stride];
  }
};

template <class>
inline constexpr bool is_rows = false;
template <class T>
inline constexpr bool is_rows<row_view<T>> = true;

/// Some rows.
template <class T>
[[nodiscard]] constexpr matrix_view<T> rows_from(matrix_view<T> const& matrix, index first,
                                                 index count) noexcept {
  return {matrix.data + first * matrix.row_stride, count, matrix.columns, matrix.row_stride,
          matrix.column_stride};
}
template <class T>
[[nodiscard]] constexpr row_view<T> rows_from(row_view<T> view, index first, index count) noexcept {
  view.rows = count;
  if (view.runs.length == 0) {
    view.data += first * view.row_stride;
  } else {
    view.runs.first += first;
  }
  return view;
}

/// The rows through which a loss reads; of an Eigen type a column may be meant.
template <class Rows>
[[nodiscard]] constexpr auto input_rows(Rows const& rows) noexcept {
  if constexpr (is_rows<Rows>) {
    return row_view<typename Rows::element const>(rows);
  } else if constexpr (is_map<Rows>) {
    auto const map = input_map(rows);
    return row_view<typename decltype(map)::element>(map);
  } else {
    auto const matrix = input_view(rows);
    return row_view<typename decltype(matrix)::element>(matrix);
  }
}

/// The same of logits.
template <class Rows>
[[nodiscard]] constexpr auto logit_rows(Rows const& rows) noexcept {
  if constexpr (is_rows<Rows> || is_map<Rows>) {
    return input_rows(rows);
  } else {
    return input_rows(logits_view(rows));
  }
}

/// The rows through which a loss writes what its caller forwards: a temporary owner is refused.
template <class Rows>
[[nodiscard]] constexpr auto output_rows(Rows&& rows) noexcept {
  using plain = std::remove_cvref_t<Rows>;
  if constexpr (is_rows<plain>) {
    return plain(rows);
  } else if constexpr (is_map<plain>) {
    auto const map = output_map(std::forward<Rows>(rows));
    return row_view<typename decltype(map)::element>(map);
  } else {
    auto const matrix = output_view(std::forward<Rows>(rows));
    return row_view<typename decltype(matrix)::element>(matrix);
  }
}

}  // namespace distil::detail
