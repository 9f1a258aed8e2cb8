#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "distil/core/number_rows.hpp"

/// A temperature for each row, from statistics of its logits: for the option `temperature` of the losses, which takes one a
/// row. They are constants to the gradient; temperatures that a loss differentiates through are losses (`norm_kd`,
/// `standardized`, `dynamic_temperature_kd`). All functions here take logits of any type, -inf for a masked class, and write
/// doubles.
namespace distil::schedule {

/// Between which temperatures one is looked for.
struct temperature_range {
  double minimum = 0.05;  ///< > 0
  double maximum = 100;   ///< finite, above the minimum
};

namespace detail::matching {

inline void require_range(char const* where, temperature_range const& range) {
  distil::detail::require(range.minimum > 0.0 && std::isfinite(range.minimum), where, "minimum",
                          range.minimum, "finite and > 0");
  distil::detail::require(std::isfinite(range.maximum) && range.maximum > range.minimum, where, "maximum",
                          range.maximum, "finite and above the minimum");
}

inline void require_logits(char const* where, number_matrix const& logits, index rows) {
  distil::detail::require(logits.given() && logits.extent().columns >= 1, where, "logits", "without a class",
                          "rows x classes");
  distil::detail::require(
      logits.extent().rows == rows, where, "temperatures",
      [&] { return distil::detail::said("of size ", rows); },
      [&] { return distil::detail::said("one per row, ", logits.extent().rows); });
}

/// Unmasked classes of a row; -1 where it has a NaN or +inf.
inline index classes_of(double const* logits, index classes) noexcept {
  index count = 0;
  for (index i = 0; i < classes; ++i) {
    if (!(logits[i] < std::numeric_limits<double>::infinity())) return -1;
    if (logits[i] > -std::numeric_limits<double>::infinity()) ++count;
  }
  return count;
}

}  // namespace detail::matching

/// Temperatures of rows by how sure they are.
struct confidence_temperature_options {
  double at = 1;         ///< the temperature at which confidence is measured; finite and > 0
  double of_unsure = 1;  ///< of a row whose classes are all alike; finite and > 0
  double of_sure =
      4;  ///< of a row that gives all to one class, which has most to gain from softening; finite and > 0
};

/// T = of_unsure + (of_sure - of_unsure) (c - 1/C) / (1 - 1/C), c the largest of softmax(z / at) over the C classes that are
/// not masked: a straight line between both. A row with a NaN, +inf or less than two classes gets `of_unsure`. Throws
/// std::invalid_argument when a size or option is refused; nothing is written then.
///
/// Public code maps confidence otherwise (TextBrewer's are `flexible_temperatures`).
inline void confidence_temperatures(number_matrix const& logits, std::span<double> temperatures,
                                    confidence_temperature_options const& options = {}) {
  constexpr char const* where = "schedule::confidence_temperatures";
  namespace matching = detail::matching;
  matching::require_logits(where, logits, static_cast<index>(temperatures.size()));
  for (auto const& [argument, value] :
       {std::pair("at", options.at), std::pair("of_unsure", options.of_unsure),
        std::pair("of_sure", options.of_sure)}) {
    distil::detail::require(std::isfinite(value) && value > 0.0, where, argument, value, "finite and > 0");
  }
  index const classes = logits.extent().columns;
  std::vector<double> values(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < temperatures.size(); ++row) {
    distil::detail::read_row(logits, static_cast<index>(row), values.data());
    index const count = matching::classes_of(values.data(), classes);
    temperatures[row] = options.of_unsure;
    if (count < 2) continue;
    distil::detail::log_softmax_row(values.data(), classes, options.at);
    double const least = 1.0 / static_cast<double>(count);
    double const confidence = std::exp(*std::max_element(values.begin(), values.end()));
    temperatures[row] +=
        (options.of_sure - options.of_unsure) * std::max(0.0, confidence - least) / (1.0 - least);
  }
}

/// Which deviation.
enum class deviation_estimate {
  sample,     ///< over C - 1, as torch.std, and with it the code of NormKD and LSKD
  population  ///< over C, as numpy.std
};

/// T = factor * the standard deviation of the row's classes that are not masked, within the range: all rows then have logits
/// z / T of one deviation, 1 / factor. A row without a deviation gets the minimum, one with a NaN or +inf the maximum. Throws
/// std::invalid_argument when a size, factor or range is refused; nothing is written then. Source: Chi et al. 2023 (NormKD),
/// whose loss moves with the temperature: `norm_kd`.
inline void deviation_temperatures(number_matrix const& logits, double factor, std::span<double> temperatures,
                                   deviation_estimate estimate = deviation_estimate::sample,
                                   temperature_range const& range = {}) {
  constexpr char const* where = "schedule::deviation_temperatures";
  namespace matching = detail::matching;
  matching::require_logits(where, logits, static_cast<index>(temperatures.size()));
  matching::require_range(where, range);
  distil::detail::require(std::isfinite(factor) && factor > 0.0, where, "factor", factor, "finite and > 0");
  index const classes = logits.extent().columns;
  std::vector<double> values(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < temperatures.size(); ++row) {
    distil::detail::read_row(logits, static_cast<index>(row), values.data());
    index const count = matching::classes_of(values.data(), classes);
    temperatures[row] = count < 0 ? range.maximum : range.minimum;
    double const divisor = static_cast<double>(count - (estimate == deviation_estimate::sample ? 1 : 0));
    if (count < 2) continue;
    auto const over_classes = [&](auto const& summand) {
      double sum = 0.0;
      for (double const z : values) sum += std::isinf(z) ? 0.0 : summand(z);
      return sum;
    };
    double const mean = over_classes([](double z) { return z; }) / static_cast<double>(count);
    double const squares = over_classes([&](double z) { return (z - mean) * (z - mean); });
    temperatures[row] = std::clamp(factor * std::sqrt(squares / divisor), range.minimum, range.maximum);
  }
}

}  // namespace distil::schedule
