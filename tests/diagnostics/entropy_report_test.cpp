#include "distil/diagnostics/entropy_report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

double entropy_of(std::vector<double> const& logits, double T) {
  double sum = 0, entropy = 0;
  for (double const z : logits) sum += std::exp(z / T);
  for (double const z : logits) entropy -= std::exp(z / T) / sum * std::log(std::exp(z / T) / sum);
  return entropy;
}

TEST(entropy_report, is_of_before_and_after) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> const logits{
      3, 1, 0, /**/ 0, 0, 0, /**/ 50, 0, 0, /**/ 2, 1, -infinity, /**/ std::nan(""), 0, 0};
  entropy_report const found = entropy_report_of(matrix_view(logits, 5, 3), 4);
  EXPECT_EQ(found.rows, 4.0);
  double const first = entropy_of({3, 1, 0}, 1), pair = entropy_of({2, 1}, 1);
  EXPECT_NEAR(found.before.mean, (first + std::log(3.0) + pair + entropy_of({50, 0, 0}, 1)) / 4, 1e-14);
  EXPECT_NEAR(found.before.median, (std::min(first, pair) + std::max(first, pair)) / 2, 1e-14);
  EXPECT_NEAR(found.before.maximum, std::log(3.0), 1e-15);
  EXPECT_LT(found.before.minimum, 1e-19);
  EXPECT_EQ(found.before.nearly_one_class, 0.25);
  EXPECT_EQ(found.before.nearly_uniform, 0.25);
  EXPECT_NEAR(
      found.after.mean,
      (entropy_of({3, 1, 0}, 4) + std::log(3.0) + entropy_of({2, 1}, 4) + entropy_of({50, 0, 0}, 4)) / 4,
      1e-14);
  std::vector<double> const each{1, 1, 1, 1, 1};
  EXPECT_EQ(entropy_report_of(matrix_view(logits, 5, 3), each).after.median, found.before.median);
}

TEST(entropy_report, of_nothing_and_refusals) {
  std::vector<float> const logits{1, 2};
  EXPECT_EQ(entropy_report_of(matrix_view(logits, 0, 2), 1).rows, 0.0);
  EXPECT_EQ(entropy_report_of(matrix_view(logits, 2, 1), 1).before.nearly_one_class, 1.0);
  EXPECT_EQ(refusal_of([&] { (void)entropy_report_of(matrix_view(logits, 1, 2), 0); }),
            "distil::entropy_report_of: temperature is 0; it must be within [1e-15, 1e15]");
}

}  // namespace
}  // namespace distil
