#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "distil/core/number_rows.hpp"

namespace distil {

struct quantized_teacher_options {
  int bits = 4;  ///< 4, two codes a byte, or 8
  double range =
      12;  ///< nats below the row's largest logit that codes reach; finite and > 0. Less is finer, and clips sooner
};

/// Logits of a teacher in 4 or 8 bits: how far each class lies below the row's largest, in even steps of `range` / (2^bits - 1)
/// nats; what lies farther below gets the last code, and a masked class one of its own, the last, so that 14 steps are left in 4
/// bits. A row takes as many bytes as its codes fill.
///
///     quantized_teacher const code({.bits = 4});
///     std::vector<std::uint8_t> bytes(rows * code.row_bytes(classes));
///     code.encode(teacher, bytes);
///     code.decode(bytes, logits);                                    // later, elsewhere: logits up to a constant per row
///     forward_kl.with_grad(student, logits, gradient, {.temperature = 2});
///
/// What that costs is bounded. With e = step / (2 T) and n classes beyond the range,
///
///     KL(softmax(t / T) || softmax(t' / T)) <= e^2 / 2 + n exp(e - range / T)
///
/// since the logarithm of a mean of e^x, x within [-e, e], exceeds the mean by at most e^2 / 2 (Hoeffding's lemma), and each
/// clipped class adds at most exp(-range / T) to the sum. The tests hold it.
class quantized_teacher {
 public:
  /// Throws std::invalid_argument unless bits are 4 or 8 and the range is finite and > 0.
  explicit quantized_teacher(quantized_teacher_options const& options = {}) : options_(options) {
    detail::require(options.bits == 4 || options.bits == 8, where, "bits", options.bits, "4 or 8");
    detail::require(std::isfinite(options.range) && options.range > 0.0, where, "range", options.range,
                    "finite and > 0");
  }

  [[nodiscard]] double step() const { return options_.range / static_cast<double>(most()); }
  [[nodiscard]] std::size_t row_bytes(index classes) const {
    return static_cast<std::size_t>(options_.bits == 8 ? classes : (classes + 1) / 2);
  }

  /// The bound above at a temperature, for rows with so many classes beyond the range; of 0 that of rounding alone.
  [[nodiscard]] double divergence_bound(double temperature, index clipped_classes) const {
    double const e = step() / (2.0 * temperature);
    return 0.5 * e * e + static_cast<double>(clipped_classes) * std::exp(e - options_.range / temperature);
  }

  /// Logits [rows, classes] of any type and layout into rows x `row_bytes` bytes; returns the largest number of classes of a row
  /// that were clipped. A row with a NaN or +inf, or without a class, becomes one of masked classes: it counts for nothing.
  /// Throws std::invalid_argument when the sizes do not fit; nothing is written then.
  index encode(number_matrix const& logits, std::span<std::uint8_t> bytes) const {
    index const rows = logits.extent().rows, classes = logits.extent().columns;
    detail::require(logits.given() && classes >= 1, where, "logits", "without a class", "rows x classes");
    require_bytes(rows, classes, bytes.size());
    std::vector<double> row(static_cast<std::size_t>(classes));
    index most_clipped = 0;
    for (index r = 0; r < rows; ++r) {
      detail::read_row(logits, r, row.data());
      constexpr double infinity = std::numeric_limits<double>::infinity();
      double top = -infinity;
      for (double const z : row) top = z > top || std::isnan(z) || std::isnan(top) ? z : top;
      bool const usable =
          std::isfinite(top) && !std::any_of(row.begin(), row.end(), [](double z) { return std::isnan(z); });
      std::uint8_t* const to = bytes.data() + static_cast<std::size_t>(r) * row_bytes(classes);
      std::fill(to, to + row_bytes(classes), std::uint8_t{0});
      index clipped = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        double const below = top - row[i];
        unsigned code = static_cast<unsigned>(most() + 1);
        if (usable && row[i] != -infinity) {
          clipped += below > options_.range ? 1 : 0;
          code = static_cast<unsigned>(std::min(std::nearbyint(below / step()), static_cast<double>(most())));
        }
        if (options_.bits == 8) {
          to[i] = static_cast<std::uint8_t>(code);
        } else {
          to[i / 2] = static_cast<std::uint8_t>(to[i / 2] | code << (i % 2 == 0 ? 0U : 4U));
        }
      }
      most_clipped = std::max(most_clipped, clipped);
    }
    return most_clipped;
  }

  /// The other way: logits whose largest is 0 in each row. Throws std::invalid_argument when the sizes do not fit.
  void decode(std::span<std::uint8_t const> bytes, matrix_view<float> logits) const {
    decoded(bytes, logits);
  }
  void decode(std::span<std::uint8_t const> bytes, matrix_view<double> logits) const {
    decoded(bytes, logits);
  }

 private:
  static constexpr char const* where = "quantized_teacher";

  /// The last code that stands for a number.
  [[nodiscard]] int most() const { return (1 << options_.bits) - 2; }

  void require_bytes(index rows, index classes, std::size_t bytes) const {
    std::size_t const wanted = static_cast<std::size_t>(rows) * row_bytes(classes);
    detail::require(bytes == wanted, where, "number of bytes", bytes,
                    [&] { return detail::said(wanted, ", ", row_bytes(classes), " a row"); });
  }

  template <class T>
  void decoded(std::span<std::uint8_t const> bytes, matrix_view<T> const& logits) const {
    detail::require_matrix(where, "logits", logits);
    require_bytes(logits.rows, logits.columns, bytes.size());
    for (index r = 0; r < logits.rows; ++r) {
      std::uint8_t const* const from = bytes.data() + static_cast<std::size_t>(r) * row_bytes(logits.columns);
      for (index i = 0; i < logits.columns; ++i) {
        auto const at = static_cast<std::size_t>(i);
        unsigned const code = options_.bits == 8 ? from[at] : from[at / 2] >> (at % 2 == 0 ? 0U : 4U) & 15U;
        bool const masked = static_cast<int>(code) > most();
        logits(r, i) = masked ? -std::numeric_limits<T>::infinity()
                              : static_cast<T>(-step() * static_cast<double>(code));
      }
    }
  }

  quantized_teacher_options options_;
};

struct quantized_temperature_options {
  int bits = 4;  ///< within [2, 8]
  double minimum = 1,
         maximum = 10;  ///< between which the temperature is looked for; 0 < minimum < maximum, finite
};

/// A temperature, and what rounding the softened distribution to so few bits costs there.
struct quantized_temperature {
  double temperature = 1;
  double divergence = 0;  ///< mean KL(p || p') in nats
};

/// The temperature at which a teacher's probabilities lose least when they are kept in few bits, which hold p / max p in even steps:
/// p' = round(m p / max p), m = 2^bits - 1, with a quarter of a step where that is 0, normalised. Sharp distributions lose their
/// tail, and flat ones the differences of their classes, so what is lost falls and rises; the least of 33 temperatures at even
/// distances of their logarithms is refined by golden sections.
///
/// @param  logits [rows, classes] of any type and layout, a sample of what will be kept; rows with a NaN or +inf, or without a
///                class, are left out. Without a row: the minimum, and 0
/// @throws std::invalid_argument when an option is refused
inline quantized_temperature least_lossy_temperature(number_matrix const& logits,
                                                     quantized_temperature_options const& options = {}) {
  constexpr char const* where = "least_lossy_temperature";
  detail::require(options.bits >= 2 && options.bits <= 8, where, "bits", options.bits, "within [2, 8]");
  detail::require(options.minimum > 0.0 && std::isfinite(options.minimum), where, "minimum", options.minimum,
                  "finite and > 0");
  detail::require(std::isfinite(options.maximum) && options.maximum > options.minimum, where, "maximum",
                  options.maximum, "finite and above the minimum");
  index const rows = logits.extent().rows, classes = logits.extent().columns;
  detail::require(logits.given() && classes >= 1, where, "logits", "without a class", "rows x classes");
  std::vector<double> row(static_cast<std::size_t>(classes));
  double const most = static_cast<double>((1 << options.bits) - 1);
  auto const lost_at = [&](double log_temperature) {
    double total = 0.0, counted = 0.0;
    for (index r = 0; r < rows; ++r) {
      detail::read_row(logits, r, row.data());
      detail::log_softmax_row(row.data(), classes, std::exp(log_temperature));
      double const top = *std::max_element(row.begin(), row.end());
      if (!std::isfinite(top) || std::isnan(row.front())) continue;
      double sum = 0.0, expected = 0.0;
      for (double const log_p : row) {
        if (std::isinf(log_p)) continue;
        double const code = std::max(0.25, std::nearbyint(most * std::exp(log_p - top)));
        sum += code;
        expected += std::exp(log_p) * (log_p - std::log(code));
      }
      total += expected + std::log(sum);
      counted += 1.0;
    }
    return counted > 0.0 ? std::max(0.0, total / counted) : 0.0;
  };
  constexpr int candidates = 33;
  double const low = std::log(options.minimum), high = std::log(options.maximum);
  double const distance = (high - low) / (candidates - 1);
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < candidates; ++i) {
    double const lost = lost_at(low + i * distance);
    if (lost < least) {
      least = lost;
      best = i;
    }
  }
  quantized_temperature found{std::exp(low + best * distance), least};
  double a = low + std::max(0, best - 1) * distance, b = low + std::min(candidates - 1, best + 1) * distance;
  constexpr double golden = 0.61803398874989484820;
  for (int step = 0; step < 30; ++step) {
    double const left = b - golden * (b - a), right = a + golden * (b - a);
    double const of_left = lost_at(left), of_right = lost_at(right);
    bool const is_left = of_left <= of_right;
    if (std::min(of_left, of_right) < found.divergence) {
      found = {std::exp(is_left ? left : right), std::min(of_left, of_right)};
    }
    (is_left ? b : a) = is_left ? right : left;
  }
  found.temperature = std::clamp(found.temperature, options.minimum, options.maximum);
  return found;
}

}  // namespace distil
