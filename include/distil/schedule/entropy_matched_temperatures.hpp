#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "distil/schedule/row_temperatures.hpp"

/// Temperatures that give a wanted entropy.
namespace distil::schedule {

/// What became of the rows.
struct matched_rows {
  index reached = 0;     ///< have the wanted entropy
  index at_minimum = 0;  ///< have more of it at every temperature of the range
  index at_maximum = 0;  ///< have less
  index undefined = 0;   ///< have a NaN or +inf, or no class: they get the maximum

  friend bool operator==(matched_rows const&, matched_rows const&) = default;
};

/// What an entropy is measured in.
enum class entropy_unit {
  nats,
  share  ///< of log C, the largest entropy of C classes that are not masked; within [0, 1]
};

namespace detail::matching {

inline void require_entropy(char const* where, double entropy, entropy_unit unit) {
  bool const is_share = unit == entropy_unit::share;
  distil::detail::require(entropy >= 0.0 && entropy <= (is_share ? 1.0 : std::numeric_limits<double>::max()),
                          where, "entropy", entropy,
                          is_share ? "within [0, 1], a share of log C" : "finite and >= 0, in nats");
}

/// A mean entropy and its slope by log T.
struct entropy_at {
  double entropy, slope;
};

/// Of one row at a temperature: H = log sum e^u - E u and dH / dlog T = Var u, u = z / T.
inline entropy_at of_row(double const* logits, index classes, double temperature) noexcept {
  double maximum = -std::numeric_limits<double>::infinity();
  for (index i = 0; i < classes; ++i) maximum = std::max(maximum, logits[i]);
  double sum = 0.0, first = 0.0, second = 0.0;
  for (index i = 0; i < classes; ++i) {
    double const u = (logits[i] - maximum) / temperature;
    double const e = std::exp(u);
    if (e == 0.0) continue;
    sum += e;
    first += e * u;
    second += e * u * u;
  }
  double const mean = first / sum;
  return {std::log(sum) - mean, std::max(0.0, second / sum - mean * mean)};
}

/// The temperature of the range at which `at(T)` has the wanted entropy, which rises with T: Newton's steps in log T, halving
/// what is left of the range wherever they leave it.
template <class At>
double solve(At const& at, double wanted, temperature_range const& range, matched_rows& found) {
  constexpr double tolerance = 1e-13;
  constexpr int most_steps = 200;
  double low = std::log(range.minimum), high = std::log(range.maximum);
  if (at(range.minimum).entropy >= wanted - tolerance) {
    (at(range.minimum).entropy <= wanted + tolerance ? found.reached : found.at_minimum) += 1;
    return range.minimum;
  }
  if (at(range.maximum).entropy <= wanted + tolerance) {
    (at(range.maximum).entropy >= wanted - tolerance ? found.reached : found.at_maximum) += 1;
    return range.maximum;
  }
  double log_temperature = 0.5 * (low + high);
  for (int step = 0; step < most_steps; ++step) {
    entropy_at const here = at(std::exp(log_temperature));
    double const missing = wanted - here.entropy;
    if (std::abs(missing) <= tolerance) break;
    (missing > 0.0 ? low : high) = log_temperature;
    double next = log_temperature + missing / here.slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (next == log_temperature) break;  // no double lies closer
    log_temperature = next;
  }
  ++found.reached;
  return std::clamp(std::exp(log_temperature), range.minimum, range.maximum);
}

}  // namespace detail::matching

/// For each row the temperature T of the range at which softmax(z / T) has the wanted entropy: a teacher then says equally
/// much of every sample, however large its logits are.
///
///     std::vector<double> temperatures(rows);
///     schedule::entropy_matched_temperatures(teacher, 1.5, temperatures);
///     hinton_kd.with_grad(student, teacher, labels, gradient, {.temperature = temperatures});
///
/// @param  logits        [rows, classes]
/// @param  entropy       wanted: one number or one per row, of a schedule at this step for instance; within [0, inf) nats, or
///                       [0, 1] as a share
/// @param  temperatures  one per row, overwritten
/// @throws std::invalid_argument when a size, entropy or range is refused; nothing is written then
/// @error  the entropy is met to 1e-13 nats, or the temperature to the last digit. Where no temperature of the range does,
///         its nearer end is taken: rows of equal logits have one entropy, log C, at all temperatures
/// @cost   some 10 steps of an exponential a class, in double
/// @source dH/dT = Var_p(z / T) / T >= 0, by differentiation; no public library of distillation is known to have it
inline matched_rows entropy_matched_temperatures(number_matrix const& logits, row_parameter const& entropy,
                                                 std::span<double> temperatures,
                                                 entropy_unit unit = entropy_unit::nats,
                                                 temperature_range const& range = {}) {
  constexpr char const* where = "schedule::entropy_matched_temperatures";
  namespace matching = detail::matching;
  auto const rows = static_cast<index>(temperatures.size());
  matching::require_logits(where, logits, rows);
  matching::require_range(where, range);
  if (entropy.per_row()) distil::detail::require_size(where, "entropy", entropy.size(), rows);
  for (index row = 0; row < (entropy.per_row() ? rows : 1); ++row) {
    matching::require_entropy(where, entropy[row], unit);
  }
  index const classes = logits.extent().columns;
  std::vector<double> values(static_cast<std::size_t>(classes));
  matched_rows found;
  for (index row = 0; row < rows; ++row) {
    double& temperature = temperatures[static_cast<std::size_t>(row)];
    distil::detail::read_row(logits, row, values.data());
    index const count = matching::classes_of(values.data(), classes);
    if (count <= 0) {
      ++found.undefined;
      temperature = range.maximum;
      continue;
    }
    double const wanted =
        entropy[row] * (unit == entropy_unit::share ? std::log(static_cast<double>(count)) : 1.0);
    temperature = matching::solve([&](double at) { return matching::of_row(values.data(), classes, at); },
                                  wanted, range, found);
  }
  return found;
}

/// What the softened predictions of several modalities have in common.
struct modality_temperature_options {
  /// The mean entropy that all are to have. Default: the mean, over the modalities, of what they have at temperature `at`.
  std::optional<double> entropy = std::nullopt;

  /// Of both. Modalities of different numbers of classes need `share`: 4 classes never have the entropy, in nats, of 1000
  /// that know nothing.
  entropy_unit unit = entropy_unit::nats;

  double at = 1;  ///< finite and > 0; without effect where `entropy` is given
  temperature_range range = {};
  matched_rows* report = nullptr;  ///< what became of the modalities, if wanted
};

/// One temperature for each modality (or view, or teacher), at which the softened predictions of all have the same mean entropy:
/// none drowns the others by being sure.
///
///     std::array const logits{number_matrix(of_image), number_matrix(of_text)};
///     std::array<double, 2> temperatures;
///     schedule::modality_temperatures(logits, temperatures, {.unit = schedule::entropy_unit::share});
///
/// @param  logits        a batch [rows, classes] for each modality; sizes may differ. Rows with a NaN, +inf or no class are
///                       left out, and as shares those with one class, too
/// @param  temperatures  one per modality, overwritten. One without a row to go by gets the maximum, and is undefined
/// @return the mean entropy that was wanted, in the unit
/// Otherwise as `entropy_matched_temperatures`; some 10 reads of every batch.
inline double modality_temperatures(std::span<number_matrix const> logits, std::span<double> temperatures,
                                    modality_temperature_options const& options = {}) {
  constexpr char const* where = "schedule::modality_temperatures";
  namespace matching = detail::matching;
  bool const is_share = options.unit == entropy_unit::share;
  matching::require_range(where, options.range);
  distil::detail::require(options.at > 0.0 && std::isfinite(options.at), where, "at", options.at,
                          "finite and > 0");
  distil::detail::require(
      temperatures.size() == logits.size(), where, "temperatures",
      [&] { return distil::detail::said("of size ", temperatures.size()); },
      [&] { return distil::detail::said("one per modality, ", logits.size()); });
  for (number_matrix const& each : logits) matching::require_logits(where, each, each.extent().rows);
  if (options.entropy) matching::require_entropy(where, *options.entropy, options.unit);
  std::vector<double> values;
  auto const mean_at = [&](number_matrix const& batch, double temperature) {
    index const classes = batch.extent().columns;
    values.resize(static_cast<std::size_t>(classes));
    matching::entropy_at sum{0.0, 0.0};
    double rows = 0.0;
    for (index row = 0; row < batch.extent().rows; ++row) {
      distil::detail::read_row(batch, row, values.data());
      index const count = matching::classes_of(values.data(), classes);
      if (count <= (is_share ? 1 : 0)) continue;
      auto const here = matching::of_row(values.data(), classes, temperature);
      double const most = is_share ? std::log(static_cast<double>(count)) : 1.0;
      sum.entropy += here.entropy / most;
      sum.slope += here.slope / most;
      rows += 1.0;
    }
    return matching::entropy_at{sum.entropy / rows, sum.slope / rows};  // NaN of no rows
  };
  double sum = 0.0, counted = 0.0;
  for (std::size_t m = 0; m < logits.size() && !options.entropy; ++m) {
    double const own = mean_at(logits[m], options.at).entropy;
    if (std::isnan(own)) continue;
    sum += own;
    counted += 1.0;
  }
  double const wanted = options.entropy ? *options.entropy : counted > 0.0 ? sum / counted : 0.0;
  matched_rows found;
  for (std::size_t m = 0; m < logits.size(); ++m) {
    auto const at = [&](double temperature) { return mean_at(logits[m], temperature); };
    if (std::isnan(at(options.range.maximum).entropy)) {
      ++found.undefined;
      temperatures[m] = options.range.maximum;
    } else {
      temperatures[m] = matching::solve(at, wanted, options.range, found);
    }
  }
  if (options.report != nullptr) *options.report = found;
  return wanted;
}

}  // namespace distil::schedule
