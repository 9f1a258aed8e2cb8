#include "distil/schedule/power_of_two.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "distil/schedule/steps.hpp"
#include "distil/schedule/timing.hpp"

namespace distil::schedule {
namespace {

double rounded(double value, power_rounding how = power_rounding::nearest) {
  return (constant(value) | power_of_two(how))(0);
}

TEST(power_of_two, is_the_nearest_by_logarithms) {
  for (double value = 0.01; value < 200; value *= 1.01) {
    double const expected = std::exp2(std::round(std::log2(value)));
    if (std::abs(std::log2(value) - std::floor(std::log2(value)) - 0.5) > 1e-12) {
      EXPECT_EQ(rounded(value), expected) << value;
    }
    EXPECT_EQ(rounded(value, power_rounding::down), std::exp2(std::floor(std::log2(value)))) << value;
    EXPECT_EQ(rounded(value, power_rounding::up), std::exp2(std::ceil(std::log2(value)))) << value;
  }
}

TEST(power_of_two, leaves_powers_and_what_has_none) {
  for (auto const how : {power_rounding::nearest, power_rounding::down, power_rounding::up}) {
    for (double const value : {0x1p-1074, 0.125, 1.0, 2.0, 1024.0, 0x1p1023})
      EXPECT_EQ(rounded(value, how), value);
    EXPECT_EQ(rounded(0.0, how), 0.0);
    EXPECT_EQ(rounded(-3.0, how), -3.0);
  }
  EXPECT_EQ(rounded(std::numeric_limits<double>::max(), power_rounding::up), 0x1p1023);
}

TEST(power_of_two, answers_what_the_inner_schedule_answers) {
  using of_shape = decltype(linear(8, 1) | power_of_two());
  using of_rule = decltype(step_decay(8, 0.5, 3) | power_of_two());
  static_assert(shape<of_shape> && !step_rule<of_shape>);
  static_assert(step_rule<of_rule> && !shape<of_rule>);
  auto const schedule = cosine(8, 1) | over(100) | power_of_two() | clamp(1, 5);
  EXPECT_EQ(schedule.total_steps(), 100);
  EXPECT_EQ(schedule.at(0), 5);
  EXPECT_EQ(schedule.at(60), 4);
  EXPECT_EQ(schedule.at(100), 1);
}

}  // namespace
}  // namespace distil::schedule
