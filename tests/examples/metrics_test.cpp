#include "trainer/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using trainer::matrix;

/// Four rows of three logits; predictions 0, 2, 1, 2.
matrix four_rows() {
  matrix logits(4, 3);
  logits << 3, 1, 0,  //
      0, 1, 2,        //
      0, 5, 4,        //
      -1, -2, 0;
  return logits;
}

TEST(metrics, accuracy_counts_right_rows) {
  EXPECT_EQ(trainer::predicted_classes(four_rows()), (std::vector<int>{0, 2, 1, 2}));
  EXPECT_EQ(trainer::accuracy(four_rows(), std::vector{0, 2, 2, 0}), 0.5);
}

TEST(metrics, class_accuracy_divides_by_the_class) {
  auto const accuracy = trainer::class_accuracy(four_rows(), std::vector{0, 2, 2, 2});
  EXPECT_EQ(accuracy[0], 1.0);
  EXPECT_TRUE(std::isnan(accuracy[1]));
  EXPECT_DOUBLE_EQ(accuracy[2], 2.0 / 3.0);
}

TEST(metrics, agreement_ignores_who_is_right) {
  matrix teacher = four_rows();
  EXPECT_EQ(trainer::agreement(four_rows(), teacher), 1.0);
  teacher(0, 2) = 9;
  EXPECT_EQ(trainer::agreement(four_rows(), teacher), 0.75);
}

TEST(metrics, calibration_compares_confidence_and_accuracy_bin_by_bin) {
  // Two classes with log-odds that make confidences 0.75 (twice, one right), 0.95 (right) and 0.5 (wrong).
  matrix logits(4, 2);
  logits << std::log(3.0F), 0,  //
      0, std::log(3.0F),        //
      std::log(19.0F), 0,       //
      0.0F, -1e-6F;
  trainer::calibration calibration(10);
  calibration.add(logits, std::vector{0, 0, 0, 1});
  auto const bins = calibration.bins();
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_NEAR(bins[7].confidence, 0.75, 1e-6);
  EXPECT_EQ(bins[7].accuracy, 0.5);
  EXPECT_EQ(bins[7].share, 0.5);
  EXPECT_NEAR(bins[9].confidence, 0.95, 1e-6);
  EXPECT_EQ(bins[9].accuracy, 1.0);
  EXPECT_EQ(bins[5].share, 0.25);
  EXPECT_EQ(bins[0].share, 0.0);
  EXPECT_TRUE(std::isnan(bins[0].accuracy));
  EXPECT_NEAR(calibration.expected_error(), 0.5 * 0.25 + 0.25 * 0.05 + 0.25 * 0.5, 1e-6);
}

TEST(metrics, calibration_puts_certainty_into_the_last_bin_and_pools) {
  matrix certain(1, 2);
  certain << 1000, 0;
  trainer::calibration calibration(10);
  calibration.add(certain, std::vector{0});
  calibration.add(certain, std::vector{1});
  EXPECT_EQ(calibration.bins()[9].share, 1.0);
  EXPECT_EQ(calibration.bins()[9].accuracy, 0.5);
  EXPECT_NEAR(calibration.expected_error(), 0.5, 1e-6);
}

}  // namespace
