#include "distil/schedule/row_temperatures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
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

TEST(confidence_temperatures, are_measured_at_a_temperature) {
  // At 2 the logits are log 6, log 3 and 0.
  std::vector<double> const logits{2 * std::log(6.0), 2 * std::log(3.0), 0};
  std::vector<double> temperature(1);
  confidence_temperatures(matrix_view(logits, 1, 3), temperature, {.at = 2, .of_unsure = 5, .of_sure = 2});
  EXPECT_NEAR(temperature[0], 5 - 3 * (0.6 - 1.0 / 3) / (2.0 / 3), 1e-14);
}

TEST(confidence_temperatures, refuse_before_anything_is_written) {
  std::vector<float> const logits{1, 2, 3, 4};
  std::vector<double> temperatures{7, 7};
  std::string const where = "distil::schedule::confidence_temperatures: ";
  auto const with = [&](number_matrix const& matrix, confidence_temperature_options const& options = {}) {
    return refusal_of([&] { confidence_temperatures(matrix, temperatures, options); });
  };
  EXPECT_EQ(with(matrix_view(logits, 2, 2), {.at = infinity}),
            where + "at is inf; it must be finite and > 0");
  EXPECT_EQ(with(matrix_view(logits, 2, 2), {.of_unsure = -1}),
            where + "of_unsure is -1; it must be finite and > 0");
  EXPECT_EQ(with(matrix_view(logits, 1, 4)), where + "temperatures is of size 2; it must be one per row, 1");
  EXPECT_EQ(with(number_matrix()), where + "logits is without a class; it must be rows x classes");
  EXPECT_EQ(temperatures, (std::vector<double>{7, 7}));
  confidence_temperatures(matrix_view(logits, 0, 4), {});  // no rows, no work
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

TEST(deviation_temperatures, refuse_before_anything_is_written) {
  std::vector<float> const logits{1, 2, 3, 4};
  std::vector<double> temperatures{7, 7};
  std::string const where = "distil::schedule::deviation_temperatures: ";
  EXPECT_EQ(refusal_of([&] {
              deviation_temperatures(matrix_view(logits, 2, 2), 1.0, temperatures, deviation_estimate::sample,
                                     {.minimum = 3, .maximum = 2});
            }),
            where + "maximum is 2; it must be finite and above the minimum");
  EXPECT_EQ(refusal_of([&] { deviation_temperatures(matrix_view(logits, 1, 4), 1.0, temperatures); }),
            where + "temperatures is of size 2; it must be one per row, 1");
  EXPECT_EQ(temperatures, (std::vector<double>{7, 7}));
}

}  // namespace
}  // namespace distil::schedule
