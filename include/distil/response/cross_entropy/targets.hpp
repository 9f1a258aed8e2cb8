#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "distil/core/labels.hpp"
#include "distil/core/objective.hpp"
#include "distil/core/shapes.hpp"

namespace distil {

/// Which classes share the smoothed mass; both are called label smoothing.
enum class smoothing {
  all_classes,   ///< epsilon / C on every class, the label included: Szegedy et al. 2016, PyTorch, optax
  other_classes  ///< 1 - epsilon on the label, epsilon / (C - 1) on each other class: teacher-free KD, Yuan
                 ///< et al. 2020
};

/// Options of cross entropy.
struct cross_entropy_options {
  /// Divides the logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Multiplies the loss by T^2. Default false: hard labels have no temperature to make up for.
  bool scale_by_temperature_squared = false;

  /// Mass taken from the target and spread over the classes, within [0, 1]. Default 0.
  double label_smoothing = 0.0;

  /// Over which classes it is spread. Default all_classes, as in PyTorch.
  smoothing smoothing_over = smoothing::all_classes;

  /// One weight per class, finite and >= 0, with PyTorch's meaning: every summand is multiplied by the weight
  /// of its class, and the mean divides by the sum of the labels' weights (by rows for soft targets).
  /// Default: none.
  std::span<float const> class_weights = {};

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

namespace detail {

/// Targets of cross entropy say which labels a row has and with what share. Dense ones have none, but a
/// matrix.
struct single_label_targets {
  using storage = float;
  static constexpr int per_row = 1;
  static constexpr bool dense = false;
  label_view labels;

  void check(char const* where, index rows) const { require_size(where, "labels", labels.size(), rows); }
  template <class Counts>
  void inspect(char const*, Counts const&) const {}
  template <class Visit>
  void each_view(Visit const& visit) const {
    visit(labels);
  }
  [[nodiscard]] bool alike(std::int64_t ignore_label) const { return !labels.contains(ignore_label); }
  [[nodiscard]] std::int64_t label(int, index row) const { return labels[row]; }
  [[nodiscard]] double share(int, index) const { return 1.0; }
};

struct mixed_label_targets {
  using storage = float;
  static constexpr int per_row = 2;
  static constexpr bool dense = false;
  mixed_labels pair;

  void check(char const* where, index rows) const {
    require_size(where, "labels.first", pair.first.size(), rows);
    require_size(where, "labels.second", pair.second.size(), rows);
    require_parameter(where, "labels.first_share", pair.first_share, rows, is_share, must_be_share);
  }
  template <class Counts>
  void inspect(char const* where, Counts const&) const {
    require_row_values(where, "labels.first_share", pair.first_share, is_share, must_be_share);
  }
  template <class Visit>
  void each_view(Visit const& visit) const {
    visit(pair.first);
    visit(pair.second);
  }
  [[nodiscard]] bool alike(std::int64_t) const { return false; }
  [[nodiscard]] std::int64_t label(int i, index row) const {
    return i == 0 ? pair.first[row] : pair.second[row];
  }
  [[nodiscard]] double share(int i, index row) const {
    double const first = pair.first_share[row];
    return i == 0 ? first : 1.0 - first;
  }
};

/// Whether any of so many bytes has a bit of the mask, which is laid over every eight of them: at the speed of memory.
[[nodiscard]] inline bool any_bit(void const* begin, std::size_t bytes, std::uint64_t mask) noexcept {
  auto const* const from = static_cast<unsigned char const*>(begin);
  std::uint64_t found[4] = {};
  std::size_t at = 0;
  for (; at + sizeof found <= bytes; at += sizeof found) {
    std::uint64_t words[4];
    std::memcpy(words, from + at, sizeof words);
    for (std::size_t i = 0; i < 4; ++i) found[i] |= words[i];
  }
  std::uint64_t rest[4] = {};
  std::memcpy(rest, from + at, bytes - at);
  for (std::size_t i = 0; i < 4; ++i) found[i] |= rest[i];
  return ((found[0] | found[1] | found[2] | found[3]) & mask) != 0;
}

template <class Storage>
struct soft_targets {
  using storage = Storage;
  static constexpr int per_row = 0;
  static constexpr bool dense = true;
  row_view<Storage const> matrix;

  void check(char const*, index) const {}

  /// Refuses negative targets in rows that count; O(rows * classes), one read.
  template <class Counts>
  void inspect(char const* where, Counts const& counts) const {
    if (!any_sign()) return;
    for (index row = 0; row < matrix.rows; ++row) {
      for (index column = 0; column < matrix.columns && counts(row); ++column) {
        auto const target = widen<arithmetic_t<Storage>>(matrix(row, column));
        require(
            !(target < 0), where, "targets",
            [&] { return said(target, " in row ", row, ", class ", column); }, ">= 0");
      }
    }
  }

  template <class Visit>
  void each_view(Visit const&) const {}
  [[nodiscard]] bool alike(std::int64_t) const { return true; }
  [[nodiscard]] std::int64_t label(int, index) const { return 0; }
  [[nodiscard]] double share(int, index) const { return 0.0; }

 private:
  /// Whether some target has a minus sign, as far as that is quick to tell.
  [[nodiscard]] bool any_sign() const {
    bool const by_column = matrix.row_stride == 1;
    if (!by_column && matrix.column_stride != 1) return true;
    std::uint64_t mask = 0;
    for (std::size_t at = 0; at < sizeof mask; at += sizeof(Storage)) {
      Storage const minus = narrow<Storage>(arithmetic_t<Storage>(-0.0));
      std::memcpy(reinterpret_cast<char*>(&mask) + at, &minus, sizeof minus);
    }
    auto const length = static_cast<std::size_t>(by_column ? matrix.rows : matrix.columns);
    for (index line = 0; line < (by_column ? matrix.columns : matrix.rows); ++line) {
      Storage const* const begin = by_column ? &matrix(0, line) : &matrix(line, 0);
      if (any_bit(begin, length * sizeof(Storage), mask)) return true;
    }
    return false;
  }
};

template <class Matrix>
auto as_targets(Matrix const& matrix) {
  auto const seen = input_rows(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return soft_targets<element>{seen};
}
template <labels_like Labels>
single_label_targets as_targets(Labels const& labels) {
  return {label_view(labels)};
}
inline mixed_label_targets as_targets(mixed_labels const& labels) { return {labels}; }

/// Cross entropy as a term, apart from its kernel. The target of a row is
///
///   w_i = c_i * (keep * y_i + spread * share)
///
/// with class weights c, y the one-hot labels times their shares, and share = sum y of the labels that are not
/// ignored; or y the soft target, and share = 1.
template <class Targets>
struct cross_entropy_base : term_base {
  Targets targets;
  std::span<float const> class_weights;
  row_parameter temperature;
  bool squared;
  double label_smoothing;
  smoothing smoothing_over;

  cross_entropy_base(Targets const& the_targets, cross_entropy_options const& options)
      : term_base{.rows = options.rows, .temperature_gradient = options.temperature_gradient},
        targets(the_targets),
        class_weights(options.class_weights),
        temperature(options.temperature),
        squared(options.scale_by_temperature_squared),
        label_smoothing(options.label_smoothing),
        smoothing_over(options.smoothing_over) {}

  /// Mass each class gets by smoothing, and what is left for the target itself.
  [[nodiscard]] double spread(index columns) const {
    if (smoothing_over == smoothing::all_classes) return label_smoothing / static_cast<double>(columns);
    return columns > 1 ? label_smoothing / static_cast<double>(columns - 1) : 0.0;
  }
  [[nodiscard]] double keep(index columns) const {
    if (smoothing_over == smoothing::all_classes) return 1.0 - label_smoothing;
    return columns > 1 ? 1.0 - label_smoothing - spread(columns) : 1.0;
  }

  [[nodiscard]] bool ignored(std::int64_t label) const { return label == rows.ignore_label; }
  [[nodiscard]] double class_weight(std::int64_t label) const {
    return class_weights.empty() ? 1.0 : static_cast<double>(class_weights[static_cast<std::size_t>(label)]);
  }

  /// Calls `visit(label, share)` for the labels of a row that are not ignored.
  template <class Visit>
  void each_label(index row, Visit const& visit) const {
    for (int i = 0; i < Targets::per_row; ++i) {
      std::int64_t const label = targets.label(i, row);
      if (!ignored(label)) visit(label, targets.share(i, row));
    }
  }

  /// O(classes) with class weights, else O(1).
  void check(char const* where, index row_count, index columns) const {
    require_rows(where, rows, row_count);
    targets.check(where, row_count);
    if constexpr (Targets::dense) require_shape(where, "targets", targets.matrix, row_count, columns);
    require(is_share(label_smoothing), where, "label_smoothing", label_smoothing, must_be_share);
    require_temperature(where, temperature, temperature_gradient, row_count);
    if (!class_weights.empty()) {
      index const size = static_cast<index>(class_weights.size());
      require(
          size == columns, where, "class_weights", [&] { return detail::said("of size ", size); },
          [&] { return detail::said("one per class, ", columns); });
      for (index column = 0; column < columns; ++column) {
        double const weight = class_weight(column);
        require(
            is_weight(weight), where, "class_weights",
            [&] { return detail::said(weight, " for class ", column); }, must_be_weight);
      }
    }
  }

  void check_apart(char const* where, matrix_extent const& gradient) const {
    if constexpr (Targets::dense) require_apart(where, gradient, "targets", targets.matrix);
  }

  void inspect(char const* where, index row_count, index columns) const {
    require_row_values(where, "temperature", temperature, is_temperature, must_be_temperature);
    require_row_weights(where, rows);
    targets.inspect(where, [&](index row) { return weight_of(row).multiplier > 0.0; });
    targets.each_view([&](label_view const& labels) {
      index const row = labels.first_where([&](std::int64_t label) {
        return ((label < 0) | (label >= columns)) & (label != rows.ignore_label);
      });
      require(
          row == row_count, where, "label", [&] { return detail::said(labels[row], " in row ", row); },
          [&] { return detail::said("within [0, ", columns, ") or the ignored label ", rows.ignore_label); });
    });
  }

  /// Looks at the labels only when the rest is alike.
  [[nodiscard]] bool alike() const {
    return term_base::alike() && class_weights.empty() && targets.alike(rows.ignore_label);
  }

  [[nodiscard]] row_weight weigh(bool student_is_masked, index row) const {
    row_weight const weight = weight_of(row);
    if (student_is_masked || Targets::dense || !(weight.multiplier > 0.0)) {
      return student_is_masked ? row_weight{} : weight;
    }
    row_weight result{};
    each_label(row, [&](std::int64_t label, double share) {
      result.multiplier = weight.multiplier;
      result.counted += weight.counted * share * class_weight(label);
    });
    return result;
  }
};

}  // namespace detail
}  // namespace distil
