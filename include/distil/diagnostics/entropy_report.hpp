#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "distil/diagnostics/agreement.hpp"

namespace distil {

/// Entropies of a batch, in nats.
struct entropy_summary {
  double mean = 0, minimum = 0, median = 0, maximum = 0;
  double nearly_one_class = 0;  ///< share of rows under 1 % of log C, C the classes that are not masked
  double nearly_uniform = 0;    ///< share of rows over 99 % of it
};

/// What a temperature does to a batch of logits.
struct entropy_report {
  double rows = 0;         ///< that have a class, and neither NaN nor +inf
  entropy_summary before;  ///< at temperature 1
  entropy_summary after;   ///< at the temperature
};

/// Entropies before and after a temperature: what a teacher says besides its choice, and whether the temperature is one at
/// which it says anything, or nothing in particular. The same of the student tells whether both are softened alike.
///
/// @param  logits      [rows, classes] of any type and layout; -inf masks a class
/// @param  temperature one number or one per row; within [1e-15, 1e15]
/// @throws std::invalid_argument when a shape or temperature is refused
/// @cost   two exponentials a class, in double
inline entropy_report entropy_report_of(number_matrix const& logits, row_parameter const& temperature) {
  constexpr char const* where = "entropy_report_of";
  index const rows = logits.extent().rows, classes = logits.extent().columns;
  detail::require(logits.given() && classes >= 1, where, "logits", "without a class", "rows x classes");
  detail::require_parameter(where, "temperature", temperature, rows, detail::is_temperature,
                            detail::must_be_temperature);
  detail::require_row_values(where, "temperature", temperature, detail::is_temperature,
                             detail::must_be_temperature);
  std::vector<double> row(static_cast<std::size_t>(classes)), before, after;
  entropy_report found;
  auto const count_of_ends = [](entropy_summary& summary, double entropy, index unmasked) {
    double const most = std::log(static_cast<double>(unmasked));
    // A single class is all there is, and nothing besides.
    summary.nearly_one_class += unmasked == 1 || entropy < 0.01 * most ? 1.0 : 0.0;
    summary.nearly_uniform += unmasked > 1 && entropy > 0.99 * most ? 1.0 : 0.0;
  };
  for (index r = 0; r < rows; ++r) {
    detail::read_row(logits, r, row.data());
    if (!detail::is_usable_row(row.data(), classes)) continue;
    index unmasked = 0;
    for (double const z : row) unmasked += std::isinf(z) ? 0 : 1;
    before.push_back(detail::log_softmax_row(row.data(), classes, 1.0));
    after.push_back(detail::log_softmax_row(row.data(), classes, temperature[r]));
    count_of_ends(found.before, before.back(), unmasked);
    count_of_ends(found.after, after.back(), unmasked);
  }
  found.rows = static_cast<double>(before.size());
  if (before.empty()) return found;
  auto const summarise = [&](std::vector<double>& entropies, entropy_summary& summary) {
    for (double const each : entropies) summary.mean += each / found.rows;
    std::sort(entropies.begin(), entropies.end());
    summary.minimum = entropies.front();
    summary.maximum = entropies.back();
    std::size_t const middle = entropies.size() / 2;
    summary.median =
        entropies.size() % 2 == 1 ? entropies[middle] : 0.5 * (entropies[middle - 1] + entropies[middle]);
    summary.nearly_one_class /= found.rows;
    summary.nearly_uniform /= found.rows;
  };
  summarise(before, found.before);
  summarise(after, found.after);
  return found;
}

}  // namespace distil
