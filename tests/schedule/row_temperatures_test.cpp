#include "distil/schedule/row_temperatures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(confidence_temperatures, lie_on_a_line) {
  std::vector<double> const logits{0,
                                   0,
                                   0,
                                   /**/ 1000,
                                   0,
                                   0,
                                   /**/ std::log(6.0),
                                   std::log(3.0),
                                   0,
                                   /**/ std::nan(""),
                                   0,
                                   0,
                                   /**/ 4,
                                   -infinity,
                                   -infinity};
  std::vector<double> temperatures(5);
  confidence_temperatures(matrix_view(logits, 5, 3), temperatures, {.of_unsure = 2, .of_sure = 5});
  EXPECT_NEAR(temperatures[0], 2.0, 1e-15);
  EXPECT_NEAR(temperatures[1], 5.0, 1e-15);
  EXPECT_NEAR(temperatures[2], 2 + 3 * (0.6 - 1.0 / 3) / (2.0 / 3), 1e-14);  // 6, 3 and 1 of 10
  EXPECT_EQ(temperatures[3], 2.0);
  EXPECT_EQ(temperatures[4], 2.0);
  EXPECT_EQ(
      refusal_of([&] { confidence_temperatures(matrix_view(logits, 5, 3), temperatures, {.of_sure = 0}); }),
      "distil::schedule::confidence_temperatures: of_sure is 0; it must be finite and > 0");
}

TEST(deviation_temperatures, are_deviations) {
  std::vector<double> const logits{1,      2,        3, 6, /**/ 5, 5, 5, 5, /**/ 1, -infinity, 3, -infinity,
                                   /**/ 0, infinity, 0, 0};
  std::vector<double> temperatures(4);
  temperature_range const range{.minimum = 0.25, .maximum = 50};
  deviation_temperatures(matrix_view(logits, 4, 4), 2.0, temperatures, deviation_estimate::sample, range);
  EXPECT_NEAR(temperatures[0], 2 * std::sqrt(14.0 / 3), 1e-14);
  EXPECT_EQ(temperatures[1], 0.25);
  EXPECT_NEAR(temperatures[2], 2 * std::sqrt(2.0), 1e-14);
  EXPECT_EQ(temperatures[3], 50.0);
  deviation_temperatures(matrix_view(logits, 4, 4), 2.0, temperatures, deviation_estimate::population, range);
  EXPECT_NEAR(temperatures[0], 2 * std::sqrt(14.0 / 4), 1e-14);
  EXPECT_EQ(refusal_of([&] { deviation_temperatures(matrix_view(logits, 4, 4), 0.0, temperatures); }),
            "distil::schedule::deviation_temperatures: factor is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::schedule
