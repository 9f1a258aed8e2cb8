#include "distil/diagnostics/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/core/random_stream.hpp"

namespace distil {
namespace {

using testing::refusal_of;

/// Rows of two classes, the first with probability p.
std::vector<double> logits_of(std::vector<double> const& probabilities) {
  std::vector<double> result;
  for (double const p : probabilities) {
    result.push_back(std::log(p));
    result.push_back(std::log1p(-p));
  }
  return result;
}

TEST(calibration, is_the_gap_of_confidence_and_accuracy_by_bins) {
  std::vector<double> const logits = logits_of({0.9, 0.85, 0.2, 0.55, 0.6});
  std::vector<int> const labels{0, 1, 1, 0, 1};
  calibration seen({.bins = 5});
  seen.add(matrix_view(logits, 5, 2), labels);
  calibration_result const found = seen.result();
  // Confidences 0.9, 0.85 in (0.8, 1], one right; 0.8 and 0.6 alone, where rounding does not put them beyond the border.
  EXPECT_EQ(found.rows, 5.0);
  EXPECT_EQ(found.bins[4].rows, 2.0);
  EXPECT_NEAR(found.bins[4].confidence, 0.875, 1e-15);
  EXPECT_EQ(found.bins[4].accuracy, 0.5);
  EXPECT_NEAR(found.accuracy, 3.0 / 5, 1e-15);
  EXPECT_NEAR(found.confidence, (0.9 + 0.85 + 0.8 + 0.55 + 0.6) / 5, 1e-15);
  double likelihood = 0, brier = 0;
  for (double const p : {0.9, 0.15, 0.8, 0.55, 0.4}) {
    likelihood -= std::log(p) / 5;
    brier += 2 * (1 - p) * (1 - p) / 5;
  }
  EXPECT_NEAR(found.negative_log_likelihood, likelihood, 1e-14);
  EXPECT_NEAR(found.brier_score, brier, 1e-14);
  double expected = 0, largest = 0;
  for (auto const& bin : found.bins) {
    expected += bin.rows / 5 * std::abs(bin.accuracy - bin.confidence);
    if (bin.rows > 0) largest = std::max(largest, std::abs(bin.accuracy - bin.confidence));
  }
  EXPECT_NEAR(found.expected_error, expected, 1e-15);
  EXPECT_EQ(found.largest_error, largest);
  EXPECT_NE(found.table().find("0.800 - 1.000      2           0.8750    0.5000"), std::string::npos)
      << found.table();
}

TEST(calibration, puts_borders_where_it_is_told) {
  std::vector<float> const logits{0, 0};  // confidence 1/2 exactly
  for (auto const border : {bin_border::to_lower, bin_border::to_upper}) {
    calibration seen({.bins = 2, .border = border});
    seen.add(matrix_view(logits, 1, 2), {0});
    EXPECT_EQ(seen.result().bins[0].rows, border == bin_border::to_lower ? 1.0 : 0.0);
  }
  std::vector<float> const sure{1000, 0};
  calibration seen({.bins = 3, .border = bin_border::to_upper});
  seen.add(matrix_view(sure, 1, 2), {1});
  EXPECT_EQ(seen.result().bins[2].rows, 1.0);
  EXPECT_EQ(seen.result().expected_error, 1.0);
}

TEST(calibration, of_batches_is_that_of_all_and_leaves_out_what_says_nothing) {
  std::vector<double> const logits{1, 2, /**/ 3, 0, /**/ std::nan(""), 0, /**/ 0, 5};
  calibration whole, parts;
  whole.add(matrix_view(logits, 4, 2), {0, 0, 0, -100});
  parts.add(matrix_view(logits, 1, 2), {0});
  parts.add(matrix_view(&logits[2], 3, 2), {0, 0, -100});
  EXPECT_EQ(whole.result().rows, 2.0);
  EXPECT_EQ(parts.result().expected_error, whole.result().expected_error);
  EXPECT_EQ(calibration().result().expected_error, 0.0);
}

TEST(calibration, refuses) {
  EXPECT_EQ(refusal_of([] { calibration({.bins = 0}); }),
            "distil::calibration: bins is 0; it must be at least 1");
  std::vector<float> const logits{1, 2};
  calibration seen;
  EXPECT_EQ(refusal_of([&] { seen.add(matrix_view(logits, 1, 2), {2}); }),
            "distil::calibration: label is 2 in row 0; it must be within [0, 2) or the ignored label -100");
}

TEST(calibration_temperature, minimises_the_likelihood) {
  random_stream random(3);
  constexpr std::size_t rows = 200, classes = 4;
  std::vector<double> logits(rows * classes);
  std::vector<int> labels(rows);
  for (double& z : logits) z = 3 * random.normal();
  // Labels drawn at temperature 2.5: what is found lies near it.
  for (std::size_t r = 0; r < rows; ++r) {
    double total = 0;
    for (std::size_t i = 0; i < classes; ++i) total += std::exp(logits[r * classes + i] / 2.5);
    double left = total * random.uniform();
    for (std::size_t i = 0; i < classes; ++i) {
      labels[r] = static_cast<int>(i);
      left -= std::exp(logits[r * classes + i] / 2.5);
      if (left < 0) break;
    }
  }
  auto const likelihood = [&](double T) {
    calibration seen({.temperature = T});
    seen.add(matrix_view(logits, rows, classes), labels);
    return seen.result().negative_log_likelihood;
  };
  double const found = calibration_temperature(matrix_view(logits, rows, classes), labels);
  EXPECT_NEAR(found, 2.5, 0.5);
  EXPECT_LT(likelihood(found), likelihood(found * 1.001));
  EXPECT_LT(likelihood(found), likelihood(found / 1.001));
}

TEST(calibration_temperature, ends_on_the_range) {
  std::vector<float> const logits{3, 1, /**/ 5, 0};
  EXPECT_EQ(calibration_temperature(matrix_view(logits, 2, 2), {0, 0}), 0.05);   // all right: ever sharper
  EXPECT_EQ(calibration_temperature(matrix_view(logits, 2, 2), {1, 1}), 100.0);  // all wrong
  EXPECT_EQ(calibration_temperature(matrix_view(logits, 2, 2), {-100, -100}), 1.0);
  EXPECT_EQ(refusal_of([&] {
              (void)calibration_temperature(matrix_view(logits, 2, 2), {0, 0}, {.minimum = 0});
            }),
            "distil::calibration_temperature: minimum is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil
