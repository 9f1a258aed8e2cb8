#include "distil/schedule/steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/refusal.hpp"
#include "distil/schedule/timing.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(step_decay, falls_at_every_nth_step) {
  step_decay const schedule(8, 0.5, 30);
  EXPECT_EQ(schedule.at(0), 8);
  EXPECT_EQ(schedule.at(29), 8);
  EXPECT_EQ(schedule.at(30), 4);
  EXPECT_EQ(schedule.at(89), 2);
  EXPECT_EQ(schedule.at(90), 1);
  EXPECT_EQ(schedule.at(-5), 8);
  EXPECT_EQ(schedule.at(infinity), 0);
}

TEST(step_decay, every_step_is_the_geometric_sequence) { EXPECT_EQ(step_decay(3, 0.5, 1).at(4), 3.0 / 16); }

TEST(step_decay, counts_fractional_lengths_exactly) {
  // 0.3 / 0.1 is just below 3, and must still be the third stair.
  EXPECT_EQ(step_decay(8, 0.5, 0.1).at(0.3), 1);
}

TEST(step_decay, has_its_stairs_at_the_same_steps_when_asked_by_progress) {
  for (int total : {49, 90, 107, 300}) {
    auto const schedule = step_decay(1, 0.5, 7) | over(total);
    for (int step = 0; step <= total; ++step) {
      ASSERT_EQ(schedule(static_cast<double>(step) / total), std::pow(0.5, step / 7))
          << step << " of " << total;
    }
  }
}

TEST(step_decay, refuses_stairs_without_height_or_length) {
  EXPECT_EQ(refusal_of([] { step_decay(nan, 0.5, 30); }),
            "distil::schedule::step_decay: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { step_decay(1, 0, 30); }),
            "distil::schedule::step_decay: factor is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { step_decay(1, 0.5, 0); }),
            "distil::schedule::step_decay: every is 0; it must be a finite number above 0");
}

TEST(multi_step, falls_at_its_milestones) {
  multi_step const schedule(8, 0.5, {10, 25, 26});
  EXPECT_EQ(schedule.at(0), 8);
  EXPECT_EQ(schedule.at(9), 8);
  EXPECT_EQ(schedule.at(10), 4);
  EXPECT_EQ(schedule.at(24.5), 4);
  EXPECT_EQ(schedule.at(25), 2);
  EXPECT_EQ(schedule.at(26), 1);
  EXPECT_EQ(schedule.at(1e9), 1);
  EXPECT_EQ(multi_step(8, 0.5, {}).at(100), 8);
  EXPECT_EQ(multi_step(8, 0.5, {0}).at(0), 4);
}

TEST(multi_step, refuses_milestones_out_of_order) {
  EXPECT_EQ(
      refusal_of([] {
        multi_step(8, 0.5, {10, 10});
      }),
      "distil::schedule::multi_step: a milestone is 10; it must be a step, 0 or later, after the milestone "
      "before");
  EXPECT_NE(refusal_of([] { multi_step(8, 0.5, {-0.5}); }), "");
  EXPECT_NE(refusal_of([] { multi_step(8, 0.5, {nan}); }), "");
  EXPECT_NE(refusal_of([] { multi_step(8, 0.5, {infinity}); }), "");
  EXPECT_EQ(refusal_of([] { multi_step(8, -1, {10}); }),
            "distil::schedule::multi_step: factor is -1; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { multi_step(infinity, 1, {10}); }),
            "distil::schedule::multi_step: start is inf; it must be a finite number");
}

TEST(logarithmic, divides_every_nth_step_down_to_the_floor) {
  logarithmic const schedule(27, 3, 100, 2);
  EXPECT_EQ(schedule.at(0), 27);
  EXPECT_EQ(schedule.at(99), 27);
  EXPECT_EQ(schedule.at(100), 9);
  EXPECT_EQ(schedule.at(200), 3);
  EXPECT_EQ(schedule.at(300), 2);  // 1 is below the floor
  EXPECT_EQ(schedule.at(1e12), 2);
  EXPECT_EQ(schedule.at(infinity), 2);
}

TEST(logarithmic, refuses_what_would_rise_or_start_below_its_floor) {
  EXPECT_EQ(refusal_of([] { logarithmic(4, 0.5, 10, 1); }),
            "distil::schedule::logarithmic: divisor is 0.5; it must be at least 1");
  EXPECT_EQ(refusal_of([] { logarithmic(4, 2, 10, 5); }),
            "distil::schedule::logarithmic: floor is 5; it must be at most start");
  EXPECT_EQ(refusal_of([] { logarithmic(4, 2, -1, 1); }),
            "distil::schedule::logarithmic: every is -1; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { logarithmic(nan, 2, 1, 1); }),
            "distil::schedule::logarithmic: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { logarithmic(4, infinity, 1, 1); }),
            "distil::schedule::logarithmic: divisor is inf; it must be a finite number");
  EXPECT_EQ(refusal_of([] { logarithmic(4, 2, 1, nan); }),
            "distil::schedule::logarithmic: floor is nan; it must be a finite number");
}

TEST(warm_up, rises_for_its_steps_and_stays) {
  static_assert(warm_up(20).at(0) == 0);
  static_assert(warm_up(20).at(5) == 0.25);
  static_assert(warm_up(20).at(20) == 1);
  static_assert(warm_up(20).at(500) == 1);
  static_assert(warm_up(20, 1, 4).at(10) == 2.5);
  EXPECT_EQ(warm_up(3, 0.1, 0.7).at(3), 0.7);
}

TEST(warm_up, keeps_its_steps_in_a_longer_run) {
  static_assert((warm_up(20) | over(100)).at(10) == 0.5);
  static_assert((warm_up(20) | over(100))(0.1) == 0.5);
  static_assert((warm_up(20) | over(100))(1) == 1);
}

TEST(warm_up, refuses_a_ramp_without_steps) {
  EXPECT_EQ(refusal_of([] { warm_up{0}; }),
            "distil::schedule::warm_up: steps is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { warm_up(1, nan); }),
            "distil::schedule::warm_up: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { warm_up(1, 0, nan); }),
            "distil::schedule::warm_up: end is nan; it must be a finite number");
}

}  // namespace
}  // namespace distil::schedule
