#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "distil/diagnostics/agreement.hpp"

namespace distil {

/// Where the confidence of a border belongs.
enum class bin_border {
  to_lower,  ///< bins (a, b]: Guo et al. 2017, gnosis
  to_upper   ///< bins [a, b): torchmetrics; 1 is in the last
};

struct calibration_options {
  index bins = 15;  ///< of equal width; at least 1. Default as in Guo et al. 2017
  bin_border border = bin_border::to_lower;
  double temperature = 1;            ///< divides the logits; within [1e-15, 1e15]
  std::int64_t ignore_label = -100;  ///< rows with this label do not count
};

/// Rows whose confidence, the largest probability, lies in one bin.
struct calibration_bin {
  double lower = 0, upper = 0;
  double rows = 0;
  double confidence = 0;  ///< their mean; 0 of none
  double accuracy = 0;    ///< the share whose largest class is the label
};

struct calibration_result {
  double rows = 0;
  double accuracy = 0;
  double confidence = 0;
  double expected_error = 0;           ///< ECE: sum over bins of their share |accuracy - confidence|
  double largest_error = 0;            ///< MCE
  double negative_log_likelihood = 0;  ///< mean, in nats
  double brier_score = 0;              ///< mean of sum_i (q_i - [i = y])^2
  std::vector<calibration_bin> bins;

  /// The reliability table, a line a bin that has rows.
  [[nodiscard]] std::string table() const {
    std::string text = "confidence      rows  mean confidence  accuracy\n";
    char line[96];
    for (calibration_bin const& bin : bins) {
      if (bin.rows == 0.0) continue;
      std::snprintf(line, sizeof line, "%.3f - %.3f %6.0f  %15.4f  %8.4f\n", bin.lower, bin.upper, bin.rows,
                    bin.confidence, bin.accuracy);
      text += line;
    }
    return text;
  }
};

/// Whether confidence is earned: of answers given with 80 %, 80 % should be right. Distillation moves both, and a student may
/// inherit its teacher's overconfidence. Batches are added one after the other.
///
///     calibration of_student;
///     for (each batch) of_student.add(logits, labels);
///     std::puts(of_student.result().table().c_str());
///
/// Rows with a NaN or +inf, without a class, or with the ignored label do not count. Source: Guo et al. 2017, arXiv:1706.04599.
class calibration {
 public:
  /// Throws std::invalid_argument unless the options are in their ranges.
  explicit calibration(calibration_options const& options = {})
      : options_(options), bins_(static_cast<std::size_t>(std::max<index>(1, options.bins))) {
    detail::require(options.bins >= 1, where, "bins", options.bins, "at least 1");
    detail::require(detail::is_temperature(options.temperature), where, "temperature", options.temperature,
                    detail::must_be_temperature);
  }

  /// Logits [rows, classes] of any type and layout, and a label for each row. Throws std::invalid_argument when a shape or label is
  /// refused; nothing is counted then.
  void add(number_matrix const& logits, label_view labels) {
    index const rows = logits.extent().rows, classes = logits.extent().columns;
    detail::require(logits.given() && classes >= 1, where, "logits", "without a class", "rows x classes");
    detail::require_size(where, "labels", labels.size(), rows);
    index const bad = labels.first_where([&](std::int64_t label) {
      return label != options_.ignore_label && (label < 0 || label >= classes);
    });
    detail::require(
        bad == labels.size(), where, "label", [&] { return detail::said(labels[bad], " in row ", bad); },
        [&] {
          return detail::said("within [0, ", classes, ") or the ignored label ", options_.ignore_label);
        });
    std::vector<double> row(static_cast<std::size_t>(classes));
    for (index r = 0; r < rows; ++r) {
      if (labels[r] == options_.ignore_label) continue;
      detail::read_row(logits, r, row.data());
      if (!detail::is_usable_row(row.data(), classes)) continue;
      detail::log_softmax_row(row.data(), classes, options_.temperature);
      index const chosen = detail::first_largest(row.data(), classes);
      auto const label = static_cast<std::size_t>(labels[r]);
      double const confidence = std::exp(row[static_cast<std::size_t>(chosen)]);
      calibration_bin& bin = bins_[place_of(confidence)];
      bin.rows += 1.0;
      bin.confidence += confidence;
      bin.accuracy += chosen == labels[r] ? 1.0 : 0.0;
      log_likelihood_ -= row[label];
      for (std::size_t i = 0; i < row.size(); ++i) {
        double const missing = std::exp(row[i]) - (i == label ? 1.0 : 0.0);
        brier_ += missing * missing;
      }
    }
  }

  [[nodiscard]] calibration_result result() const {
    calibration_result found;
    found.bins = bins_;
    double const width = 1.0 / static_cast<double>(bins_.size());
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      calibration_bin& bin = found.bins[i];
      bin.lower = static_cast<double>(i) * width;
      bin.upper = static_cast<double>(i + 1) * width;
      if (bin.rows == 0.0) continue;
      found.rows += bin.rows;
      found.accuracy += bin.accuracy;
      found.confidence += bin.confidence;
      double const gap = std::abs(bin.accuracy - bin.confidence);
      found.expected_error += gap;
      found.largest_error = std::max(found.largest_error, gap / bin.rows);
      bin.accuracy /= bin.rows;
      bin.confidence /= bin.rows;
    }
    if (found.rows == 0.0) return found;
    for (double* const each : {&found.accuracy, &found.confidence, &found.expected_error})
      *each /= found.rows;
    found.negative_log_likelihood = log_likelihood_ / found.rows;
    found.brier_score = brier_ / found.rows;
    return found;
  }

 private:
  static constexpr char const* where = "calibration";

  [[nodiscard]] std::size_t place_of(double confidence) const {
    double const scaled = confidence * static_cast<double>(bins_.size());
    double const place =
        options_.border == bin_border::to_lower ? std::ceil(scaled) - 1.0 : std::floor(scaled);
    return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins_.size() - 1)));
  }

  calibration_options options_;
  std::vector<calibration_bin> bins_;  ///< sums
  double log_likelihood_ = 0.0, brier_ = 0.0;
};

struct calibration_temperature_options {
  double minimum = 0.05,
         maximum = 100;  ///< between which temperatures it is looked for; 0 < minimum < maximum, finite
  std::int64_t ignore_label = -100;
};

/// The temperature that minimises the negative log likelihood of labels on validation data (temperature scaling): a single number
/// that calibrates a network without changing its choices, and a teacher before it teaches. In b = 1 / T the mean of log sum
/// e^(b z) - b z_y is convex, with slope E z - z_y and curvature Var z: Newton's steps, halving where they leave what is left of
/// the range. Where the minimum lies outside, the nearer end; without a row that counts, 1 within the range.
/// @throws std::invalid_argument when a shape, label or range is refused
/// @source Guo et al. 2017, section 4.2
inline double calibration_temperature(number_matrix const& logits, label_view labels,
                                      calibration_temperature_options const& options = {}) {
  constexpr char const* where = "calibration_temperature";
  index const rows = logits.extent().rows, classes = logits.extent().columns;
  detail::require(options.minimum > 0.0 && std::isfinite(options.minimum), where, "minimum", options.minimum,
                  "finite and > 0");
  detail::require(std::isfinite(options.maximum) && options.maximum > options.minimum, where, "maximum",
                  options.maximum, "finite and above the minimum");
  detail::require(logits.given() && classes >= 1, where, "logits", "without a class", "rows x classes");
  detail::require_size(where, "labels", labels.size(), rows);
  index const bad = labels.first_where(
      [&](std::int64_t label) { return label != options.ignore_label && (label < 0 || label >= classes); });
  detail::require(
      bad == labels.size(), where, "label", [&] { return detail::said(labels[bad], " in row ", bad); },
      [&] { return detail::said("within [0, ", classes, ") or the ignored label ", options.ignore_label); });

  std::vector<double> row(static_cast<std::size_t>(classes));
  double counted = 0.0;
  struct slopes {
    double first, second;
  };
  auto const at = [&](double inverse) {
    slopes sum{0.0, 0.0};
    counted = 0.0;
    for (index r = 0; r < rows; ++r) {
      if (labels[r] == options.ignore_label) continue;
      detail::read_row(logits, r, row.data());
      double const of_label = row[static_cast<std::size_t>(labels[r])];
      if (!detail::is_usable_row(row.data(), classes) || std::isinf(of_label)) continue;
      double const top = *std::max_element(row.begin(), row.end());
      double total = 0.0, first = 0.0, second = 0.0;
      for (double const z : row) {
        double const moved = z - top, e = std::exp(inverse * moved);
        if (e == 0.0) continue;
        total += e;
        first += e * moved;
        second += e * moved * moved;
      }
      double const mean = first / total;
      sum.first += mean - (of_label - top);
      sum.second += std::max(0.0, second / total - mean * mean);
      counted += 1.0;
    }
    return sum;
  };
  double low = 1.0 / options.maximum, high = 1.0 / options.minimum;
  if (at(low).first >= 0.0 && counted > 0.0) return options.maximum;
  if (counted == 0.0) return std::clamp(1.0, options.minimum, options.maximum);
  if (at(high).first <= 0.0) return options.minimum;
  double inverse = std::clamp(1.0, low, high);
  for (int step = 0; step < 200; ++step) {
    slopes const here = at(inverse);
    (here.first < 0.0 ? low : high) = inverse;
    double next = inverse - here.first / here.second;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - inverse) <= 1e-14 * inverse) break;
    inverse = next;
  }
  return 1.0 / inverse;
}

}  // namespace distil
