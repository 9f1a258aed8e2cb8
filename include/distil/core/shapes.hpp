#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "distil/core/row_options.hpp"
#include "distil/core/row_view.hpp"

/// The checks every row-wise loss makes before any work, in O(1) unless said otherwise.
namespace distil::detail {

[[gnu::cold, gnu::noinline]] inline std::string shape_text(index rows, index columns) {
  return said(rows, " x ", columns);
}

/// Places along one axis of a view, and how far they are apart.
struct axis_extent {
  index count, stride;
};

/// Whether no two elements share a place: from the nearest neighbours to the farthest, each axis reaches past all before it.
inline bool has_distinct_places(std::array<axis_extent, 4> const& axes) {
  auto const distance = [&](std::size_t axis) {
    return axes[axis].stride < 0 ? -axes[axis].stride : axes[axis].stride;
  };
  bool seen[4] = {};
  index reach = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    std::size_t nearest = 4;
    for (std::size_t axis = 0; axis < 4; ++axis) {
      if (!seen[axis] && (nearest == 4 || distance(axis) < distance(nearest))) nearest = axis;
    }
    seen[nearest] = true;
    if (axes[nearest].count <= 1) continue;
    if (distance(nearest) <= reach) return false;
    reach += (axes[nearest].count - 1) * distance(nearest);
  }
  return true;
}

/// Where a matrix lies, whatever its elements: what checks ask for.
struct matrix_extent {
  void const* data = nullptr;
  index rows = 0, columns = 0, row_stride = 0, column_stride = 1;
  index element_bytes = 1;
  row_runs runs = {};

  matrix_extent() = default;
  template <class T>
  constexpr matrix_extent(row_view<T> const& matrix) noexcept
      : data(matrix.data),
        rows(matrix.rows),
        columns(matrix.columns),
        row_stride(matrix.row_stride),
        column_stride(matrix.column_stride),
        element_bytes(static_cast<index>(sizeof(T))),
        runs(matrix.runs) {}
  template <class T>
  constexpr matrix_extent(matrix_view<T> const& matrix) noexcept : matrix_extent(row_view<T>(matrix)) {}

  /// Columns, rows of a run, runs of an image, images.
  [[nodiscard]] std::array<axis_extent, 4> axes() const {
    axis_extent const along_row{columns, column_stride};
    if (runs.length == 0) return {{along_row, {rows, row_stride}, {1, 0}, {1, 0}}};
    index const lines = (rows + runs.length - 1) / runs.length;
    return {{along_row,
             {runs.length, row_stride},
             {std::min(lines, runs.count), runs.stride},
             {(lines + runs.count - 1) / runs.count, runs.image_stride}}};
  }
};

/// A readable matrix: at least one class, and elements when there are rows.
inline void require_matrix(char const* where, std::string_view argument, matrix_extent const& matrix) {
  require(
      matrix.rows >= 0 && matrix.columns >= 1, where, argument,
      [&] { return shape_text(matrix.rows, matrix.columns); }, "rows x classes with at least one class");
  require(matrix.rows == 0 || matrix.data != nullptr, where, argument, "a null pointer", "a matrix");
}

inline void require_shape(char const* where, std::string_view argument, matrix_extent const& matrix,
                          index rows, index columns) {
  require(
      matrix.rows == rows && matrix.columns == columns, where, argument,
      [&] { return shape_text(matrix.rows, matrix.columns); },
      [&] { return said(shape_text(rows, columns), ", the shape of the student"); });
  require(rows == 0 || matrix.data != nullptr, where, argument, "a null pointer", "a matrix");
}

inline void require_size(char const* where, std::string_view argument, index size, index rows) {
  require(
      size == rows, where, argument, [&] { return said("of size ", size); },
      [&] { return said("one per row, ", rows); });
}

using allowed_number = bool (*)(double);

/// A number, or one per row; the numbers per row are looked at by `require_row_values`.
inline void require_parameter(char const* where, std::string_view argument, row_parameter const& parameter,
                              index rows, allowed_number allowed, char const* must_be) {
  if (parameter.per_row()) {
    require_size(where, argument, parameter.size(), rows);
  } else {
    require(allowed(parameter[0]), where, argument, parameter[0], must_be);
  }
}

inline void require_row_values(char const* where, std::string_view argument, row_parameter const& parameter,
                               allowed_number allowed, char const* must_be) {
  for (index row = 0; row < parameter.size(); ++row) {
    require(
        allowed(parameter[row]), where, argument, [&] { return said(parameter[row], " in row ", row); },
        must_be);
  }
}

// T, 1 / T and T^2 are ordinary numbers in float.
inline constexpr auto is_temperature = [](double value) { return value >= 1e-15 && value <= 1e15; };
inline constexpr auto is_weight = [](double value) { return value >= 0.0 && std::isfinite(value); };
inline constexpr auto is_share = [](double value) { return value >= 0.0 && value <= 1.0; };
inline constexpr auto is_finite_number = [](double value) { return std::isfinite(value); };
inline constexpr char const* must_be_temperature = "within [1e-15, 1e15]";
inline constexpr char const* must_be_weight = "finite and >= 0";
inline constexpr char const* must_be_finite = "finite";
inline constexpr char const* must_be_share = "within [0, 1]";

/// A temperature, and where its derivative goes.
inline void require_temperature(char const* where, row_parameter const& temperature,
                                std::span<double> temperature_gradient, index rows,
                                char const* name = "temperature",
                                char const* gradient_name = "temperature_gradient") {
  require_parameter(where, name, temperature, rows, is_temperature, must_be_temperature);
  index const size = static_cast<index>(temperature_gradient.size());
  require(
      size == 0 || size == rows || (size == 1 && !temperature.per_row()), where, gradient_name,
      [&] { return said("of size ", size); },
      [&] { return said((temperature.per_row() ? "one per row, " : "of size 1 or one per row, "), rows); });
}

/// Do two matrices share elements? `same` matrices, element for element, count apart: sweeps may work in
/// place.
enum class overlap { none, same, partial };

inline overlap overlap_of(matrix_extent const& a, matrix_extent const& b) {
  if (a.rows == 0 || b.rows == 0 || a.columns == 0 || b.columns == 0) return overlap::none;
  if (a.data == b.data && a.element_bytes == b.element_bytes && a.rows == b.rows && a.columns == b.columns &&
      (a.rows == 1 || (a.row_stride == b.row_stride && a.runs == b.runs)) &&
      (a.columns == 1 || a.column_stride == b.column_stride)) {
    return overlap::same;
  }
  struct bytes {
    std::intptr_t first, last;
  };
  auto const extent = [](matrix_extent const& m) {
    index const size = m.element_bytes;
    auto const base = reinterpret_cast<std::intptr_t>(m.data);
    index low = 0, high = 0;
    for (auto const& [count, stride] : m.axes()) {
      index const reach = (count - 1) * stride;
      (reach < 0 ? low : high) += reach;
    }
    return bytes{base + low * size, base + (high + 1) * size};
  };
  index const size_a = a.element_bytes, size_b = b.element_bytes;
  bytes const in_a = extent(a), in_b = extent(b);
  if (in_a.last <= in_b.first || in_b.last <= in_a.first) return overlap::none;
  if (a.runs.length != 0 || b.runs.length != 0) return overlap::partial;
  // Side by side in one buffer: same pitch, and what lies along it does not meet within it.
  auto const side_by_side = [&](index pitch_a, index pitch_b, index width_a, index width_b) {
    std::intptr_t const pitch = pitch_a * size_a;
    if (pitch <= 0 || pitch != pitch_b * size_b) return false;
    std::intptr_t const offset =
        ((reinterpret_cast<std::intptr_t>(b.data) - reinterpret_cast<std::intptr_t>(a.data)) % pitch +
         pitch) %
        pitch;
    return offset >= width_a * size_a && offset + width_b * size_b <= pitch;
  };
  auto const width = [](index count, index stride) { return (count - 1) * stride + 1; };
  if (a.column_stride > 0 && b.column_stride > 0 &&
      side_by_side(a.row_stride, b.row_stride, width(a.columns, a.column_stride),
                   width(b.columns, b.column_stride))) {
    return overlap::none;
  }
  if (a.row_stride > 0 && b.row_stride > 0 &&
      side_by_side(a.column_stride, b.column_stride, width(a.rows, a.row_stride),
                   width(b.rows, b.row_stride))) {
    return overlap::none;
  }
  return overlap::partial;
}

/// Refuses strides with which two elements share a place.
inline void require_distinct_elements(char const* where, matrix_extent const& gradient) {
  require(
      has_distinct_places(gradient.axes()), where, "gradient",
      [&] {
        return said("a view with strides ", gradient.row_stride, " and ", gradient.column_stride,
                    " in which elements overlap");
      },
      "a matrix with a place for every element");
}

/// The gradient may be written over the student, element for element, and over nothing else that is read.
inline void require_writable_over_student(char const* where, matrix_extent const& gradient,
                                          matrix_extent const& student) {
  require(overlap_of(gradient, student) != overlap::partial, where, "gradient",
          "overlapping the student in part",
          "the student's own matrix, element for element, or apart from it");
}

inline void require_apart(char const* where, matrix_extent const& gradient, std::string_view argument,
                          matrix_extent const& read) {
  require(
      overlap_of(gradient, read) == overlap::none, where, "gradient",
      [&] { return "overlapping the " + std::string(argument); },
      [&] { return "apart from the " + std::string(argument); });
}

/// Rows: shared options, O(1).
inline void require_rows(char const* where, row_options const& options, index rows) {
  require_parameter(where, "rows.weights", options.weights, rows, is_weight, must_be_weight);
  require_parameter(where, "rows.coefficients", options.coefficients, rows, is_finite_number, must_be_finite);
  require(options.reduce == reduction::mean || options.reduce == reduction::sum, where, "rows.reduce",
          static_cast<int>(options.reduce), "reduction::mean or reduction::sum");
  require(is_weight(options.normalizer), where, "rows.normalizer", options.normalizer,
          "finite and >= 0 (0: the own weight)");
  if (options.labels.size() > 0) require_size(where, "rows.labels", options.labels.size(), rows);
  if (!options.values.empty()) {
    require_size(where, "rows.values", static_cast<index>(options.values.size()), rows);
  }
}

/// The numbers of rows.
inline void require_row_weights(char const* where, row_options const& options) {
  require_row_values(where, "rows.weights", options.weights, is_weight, must_be_weight);
  require_row_values(where, "rows.coefficients", options.coefficients, is_finite_number, must_be_finite);
}

/// True when the classes of a row from `first` on are masked. Rarely asked, and kept out of the loops that ask.
template <class T>
#if defined(__GNUC__)
[[gnu::noinline, gnu::cold]]
#endif
bool masked_from(row_view<T> const& logits, index row, index first) {
  using arithmetic = arithmetic_t<T>;
  for (index column = first; column < logits.columns; ++column) {
    if (static_cast<arithmetic>(logits(row, column)) != -std::numeric_limits<arithmetic>::infinity())
      return false;
  }
  return true;
}

/// True when the first class of some row is masked: only then can a row be fully masked.
template <class T>
bool any_begins_masked(row_view<T> const& logits) {
  using arithmetic = arithmetic_t<T>;
  if (logits.columns == 0) return true;
  for (index row = 0; row < logits.rows; ++row) {
    if (static_cast<arithmetic>(logits(row, 0)) == -std::numeric_limits<arithmetic>::infinity()) return true;
  }
  return false;
}

/// True when every class of a row is masked. The first class nearly always says that it is not.
template <class T>
bool fully_masked(row_view<T> const& logits, index row) {
  using arithmetic = arithmetic_t<T>;
  return (logits.columns == 0 ||
          static_cast<arithmetic>(logits(row, 0)) == -std::numeric_limits<arithmetic>::infinity()) &&
         masked_from(logits, row, 1);
}

}  // namespace distil::detail
