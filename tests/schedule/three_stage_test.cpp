#include "distil/schedule/three_stage.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(three_stage, goes_from_1_to_3_to_1_and_a_half_by_default) {
  three_stage const schedule;
  EXPECT_EQ(schedule(0), 1);
  EXPECT_NEAR(schedule(0.15), 2, 1e-15);  // half way up the straight line
  EXPECT_EQ(schedule(0.3), 3);
  EXPECT_EQ(schedule(0.5), 3);
  EXPECT_EQ(schedule(0.7), 3);
  EXPECT_NEAR(schedule(0.8), 2.25 + 0.75 * 0.5, 1e-14);  // cos 60 degrees = 1/2
  EXPECT_NEAR(schedule(0.85), 2.25, 1e-14);
  EXPECT_EQ(schedule(1), 1.5);
}

TEST(three_stage, is_continuous_and_monotone_within_each_stage) {
  three_stage const schedule;
  for (int i = 1; i <= 10'000; ++i) {
    double const x = i / 10'000.0;
    double const move = schedule(x) - schedule((i - 1) / 10'000.0);
    EXPECT_LE(std::abs(move), 0.0008) << x;  // the steepest is pi / 2 * 1.5 / 0.3 on the way down
    bool const rises = x <= 0.3;
    bool const falls = x > 0.7;
    EXPECT_EQ(move > 0, rises) << x;
    EXPECT_EQ(move < 0, falls) << x;
  }
}

TEST(three_stage, has_its_stages_where_it_is_told) {
  three_stage const schedule(
      {.warm_up_value = 2, .hold_value = 6, .final_value = 4, .warm_up_end = 0.5, .hold_end = 0.75});
  EXPECT_EQ(schedule(0.25), 4);
  EXPECT_EQ(schedule(0.5), 6);
  EXPECT_EQ(schedule(0.75), 6);
  EXPECT_NEAR(schedule(0.875), 5, 1e-14);
  EXPECT_EQ(schedule(1), 4);
}

TEST(three_stage, leaves_out_a_stage_without_length) {
  EXPECT_EQ(three_stage({.warm_up_end = 0})(0), 3);
  EXPECT_EQ(three_stage({.hold_end = 1})(1), 3);
  three_stage const no_hold({.warm_up_end = 0.5, .hold_end = 0.5});
  EXPECT_EQ(no_hold(0.5), 3);
  EXPECT_LT(no_hold(0.51), 3);
  EXPECT_EQ(three_stage({.warm_up_end = 1, .hold_end = 1})(1), 3);
}

TEST(three_stage, refuses_boundaries_out_of_order) {
  EXPECT_EQ(refusal_of([] { three_stage({.warm_up_end = -0.1}); }),
            "distil::schedule::three_stage: warm_up_end is -0.1; it must be within [0, 1]");
  EXPECT_EQ(refusal_of([] { three_stage({.warm_up_end = 0.8}); }),
            "distil::schedule::three_stage: hold_end is 0.7; it must be within [warm_up_end, 1]");
  EXPECT_EQ(refusal_of([] { three_stage({.hold_end = 1.5}); }),
            "distil::schedule::three_stage: hold_end is 1.5; it must be within [warm_up_end, 1]");
  EXPECT_EQ(refusal_of([] { three_stage({.hold_end = std::numeric_limits<double>::quiet_NaN()}); }),
            "distil::schedule::three_stage: hold_end is nan; it must be within [warm_up_end, 1]");
}

TEST(three_stage, refuses_values_that_are_not_finite) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal_of([] { three_stage({.warm_up_value = infinity}); }),
            "distil::schedule::three_stage: warm_up_value is inf; it must be a finite number");
  EXPECT_EQ(refusal_of([] { three_stage({.hold_value = infinity}); }),
            "distil::schedule::three_stage: hold_value is inf; it must be a finite number");
  EXPECT_EQ(refusal_of([] { three_stage({.final_value = infinity}); }),
            "distil::schedule::three_stage: final_value is inf; it must be a finite number");
}

}  // namespace
}  // namespace distil::schedule
