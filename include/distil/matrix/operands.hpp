#pragma once

#include <algorithm>
#include <type_traits>

#include "distil/core/feature_map.hpp"
#include "distil/core/shapes.hpp"
#include "distil/simd/convert.hpp"
#include "distil/simd/scratch.hpp"

/// What losses of feature maps read and write. Element types and layouts end here: a loss is written once, for rows of
/// neighbours in the arithmetic type T, and sees the user's own memory where that is such.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// What the rows of a sample's matrix are: its channels, along which the positions lie, or its positions, along which
/// the channels lie.
enum class rows_of { channels, positions };

/// How a loss wants a sample.
struct sample_form {
  rows_of order;
  bool in_one_row = false;  ///< rows one behind the other, as one row

  constexpr sample_form(rows_of rows) noexcept : order(rows) {}
  constexpr sample_form(rows_of rows, bool one_row) noexcept : order(rows), in_one_row(one_row) {}
};

/// The matrix of one sample in memory.
struct sample_layout {
  index rows, columns, row_stride, column_stride;
  bool rows_are_lines =
      false;  ///< rows are positions, which a padded map cuts into lines of `line` positions
  bool columns_are_lines = false;
  index line = 1, line_stride = 0;

  template <class T>
  static sample_layout of(feature_map<T> const& map, rows_of order) {
    feature_strides const& s = map.strides;
    bool const flat = map.height <= 1 || map.width == 0 || s.row == s.column * map.width;
    // Of one column, the rows are the positions.
    index const step = map.width == 1 ? s.row : s.column;
    sample_layout result{map.channels, map.positions(), s.channel, step, false, false, map.width, s.row};
    result.columns_are_lines = !flat && map.width > 1;
    if (order == rows_of::positions) {
      std::swap(result.rows, result.columns);
      std::swap(result.row_stride, result.column_stride);
      std::swap(result.rows_are_lines, result.columns_are_lines);
    }
    return result;
  }

  [[nodiscard]] index row(index r) const {
    return rows_are_lines ? r / line * line_stride + r % line * row_stride : r * row_stride;
  }
  [[nodiscard]] index column(index c) const {
    return columns_are_lines ? c / line * line_stride + c % line * column_stride : c * column_stride;
  }
  /// Rows of neighbours, at one distance from each other.
  [[nodiscard]] bool is_plain() const {
    return (column_stride == 1 || columns == 1) && !columns_are_lines && !rows_are_lines;
  }
  /// Memory of this layout is in the form a loss wants.
  [[nodiscard]] bool has_form(sample_form form) const {
    return is_plain() && (!form.in_one_row || rows == 1 || row_stride == columns);
  }
  /// The form, in memory that begins at `data`.
  template <class T>
  [[nodiscard]] matrix_view<T> in_form(sample_form form, T* data, index stride) const {
    if (form.in_one_row) return {data, 1, rows * columns};
    return {data, rows, columns, stride};
  }
};

/// Calls `run(row, column, count)` for runs of neighbours, and `one(row, column)` for elements that have none, in an order
/// that is kind to the caches.
template <class Run, class One>
void for_each_run(sample_layout const& in, Run const& run, One const& one) {
  if (in.column_stride == 1 || in.columns == 1) {
    index const length = in.columns_are_lines ? in.line : in.columns;
    for (index r = 0; r < in.rows; ++r) {
      for (index c = 0; c < in.columns; c += length) run(r, c, length);
    }
    return;
  }
  constexpr index tile = 16;
  for (index row = 0; row < in.rows; row += tile) {
    index const last_row = std::min(row + tile, in.rows);
    for (index column = 0; column < in.columns; column += tile) {
      index const last_column = std::min(column + tile, in.columns);
      for (index r = row; r < last_row; ++r) {
        for (index c = column; c < last_column; ++c) one(r, c);
      }
    }
  }
}

template <class T>
void scale_rows(matrix_view<T> rows, T factor) {
  for (index row = 0; row < rows.rows; ++row) {
    T* const numbers = &rows(row, 0);
    for (index column = 0; column < rows.columns; ++column) numbers[column] *= factor;
  }
}

/// A feature map that is read.
template <class T>
class map_source {
 public:
  index samples = 0, channels = 0, height = 0, width = 0;

  map_source() = default;

  template <class Storage>
  explicit map_source(feature_map<Storage const> const& map)
      : samples(map.samples),
        channels(map.channels),
        height(map.height),
        width(map.width),
        data_(map.data),
        strides_(map.strides),
        read_(&read<Storage>),
        same_type_(std::is_same_v<Storage, T>) {}

  [[nodiscard]] index positions() const { return height * width; }
  [[nodiscard]] index sample_size() const { return channels * positions(); }

  /// A matrix is a map of one sample, whose channels are the rows.
  [[nodiscard]] index rows() const { return channels; }
  [[nodiscard]] index columns() const { return width; }
  [[nodiscard]] matrix_view<T const> matrix(T* scratch) const {
    return sample(0, rows_of::channels, scratch);
  }

  /// The order in which rows are the user's own neighbours; channels first where both or none are.
  [[nodiscard]] rows_of natural_order() const {
    return !layout(rows_of::channels).is_plain() && layout(rows_of::positions).is_plain() ? rows_of::positions
                                                                                          : rows_of::channels;
  }

  /// One sample as a matrix of contiguous rows: the user's own memory or a copy in `scratch`, which has room for
  /// `sample_size()` numbers.
  [[nodiscard]] matrix_view<T const> sample(index n, sample_form form, T* scratch) const {
    sample_layout const in = layout(form.order);
    if (same_type_ && in.has_form(form)) {
      return in.in_form(form, static_cast<T const*>(data_) + n * strides_.sample, in.row_stride);
    }
    read_(data_, n * strides_.sample, in, scratch);
    return in.in_form<T const>(form, scratch, in.columns);
  }

 private:
  [[nodiscard]] sample_layout layout(rows_of order) const {
    return sample_layout::of(feature_map<T const>(nullptr, samples, channels, height, width, strides_),
                             order);
  }

  template <class Storage>
  static void read(void const* data, index offset, sample_layout const& in, T* to) {
    Storage const* const from = static_cast<Storage const*>(data) + offset;
    for_each_run(
        in,
        [&](index r, index c, index count) {
          simd::widen_row(from + in.row(r) + in.column(c), count, to + r * in.columns + c);
        },
        [&](index r, index c) { to[r * in.columns + c] = detail::widen<T>(from[in.row(r) + in.column(c)]); });
  }

  void const* data_ = nullptr;
  feature_strides strides_ = {};
  void (*read_)(void const*, index, sample_layout const&, T*) = nullptr;
  bool same_type_ = false;
};

/// A feature map that is written: a gradient.
template <class T>
class map_target {
 public:
  map_target() = default;

  /// @param adds   to what is there
  /// @param apart  from what is read, so that it may be written before all is read
  /// @param factor what `finish` multiplies by
  template <class Storage>
  map_target(feature_map<Storage> const& map, bool adds, bool apart, double factor = 1.0)
      : map_(nullptr, map.samples, map.channels, map.height, map.width, map.strides),
        data_(map.data),
        write_(adds ? &write<true, Storage> : &write<false, Storage>),
        factor_(static_cast<T>(factor)),
        adds_(adds),
        direct_(std::is_same_v<Storage, T> && !adds && apart) {}

  /// Whether a gradient is wanted.
  [[nodiscard]] explicit operator bool() const { return write_ != nullptr; }

  /// Where to write one sample's matrix, every element: the user's own memory or `scratch`, which has room for the
  /// sample. `finish` follows.
  [[nodiscard]] matrix_view<T> sample(index n, sample_form form, T* scratch) const {
    sample_layout const in = sample_layout::of(map_, form.order);
    if (direct_ && in.has_form(form)) {
      return in.in_form(form, static_cast<T*>(data_) + n * map_.strides.sample, in.row_stride);
    }
    return in.in_form(form, scratch, in.columns);
  }

  /// Brings a sample to its place that `sample` left in `scratch`. `written` has the form that was asked for, and is
  /// multiplied where it is.
  void finish(index n, sample_form form, matrix_view<T> written) const {
    if (factor_ != T(1)) scale_rows(written, factor_);
    sample_layout const in = sample_layout::of(map_, form.order);
    if (direct_ && in.has_form(form)) return;
    index const stride = form.in_one_row ? in.columns : written.row_stride;
    write_(data_, n * map_.strides.sample, in, {written.data, in.rows, in.columns, stride});
  }

  /// The same of a matrix.
  [[nodiscard]] matrix_view<T> matrix(T* scratch) const { return sample(0, rows_of::channels, scratch); }
  void finish_matrix(matrix_view<T> written) const { finish(0, rows_of::channels, written); }

  /// Writes 0, or adds nothing.
  void clear() const {
    if (write_ == nullptr || adds_) return;
    struct of_zeros {};
    sample_layout const in = sample_layout::of(map_, rows_of::channels);
    T* const zeros = simd::scratch<T, of_zeros>(in.rows * in.columns);
    std::fill_n(zeros, in.rows * in.columns, T(0));
    for (index n = 0; n < map_.samples; ++n)
      write_(data_, n * map_.strides.sample, in, {zeros, in.rows, in.columns, in.columns});
  }

 private:
  template <bool Adds, class Storage>
  static void write(void* data, index offset, sample_layout const& in, matrix_view<T const> from) {
    Storage* const to = static_cast<Storage*>(data) + offset;
    for_each_run(
        in,
        [&](index r, index c, index count) {
          simd::narrow_row<Adds>(&from(r, c), count, to + in.row(r) + in.column(c));
        },
        [&](index r, index c) {
          Storage& place = to[in.row(r) + in.column(c)];
          T const before = Adds ? detail::widen<T>(place) : T(0);
          place = detail::narrow<Storage>(before + from(r, c));
        });
  }

  feature_map<T> map_ = {};
  void* data_ = nullptr;
  void (*write_)(void*, index, sample_layout const&, matrix_view<T const>) = nullptr;
  T factor_ = T(1);
  bool adds_ = false, direct_ = false;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
