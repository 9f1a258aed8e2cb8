#include "distil/schedule/any_schedule.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/shapes.hpp"
#include "distil/schedule/steps.hpp"
#include "distil/schedule/timing.hpp"

namespace distil {
namespace {

using schedule::constant;
using schedule::cosine;
using schedule::over;

TEST(any_schedule, answers_as_the_schedule_it_holds) {
  auto const held = schedule::step_decay(8, 0.5, 30) | over(90);
  any_schedule const schedule = held;
  EXPECT_EQ(schedule.total_steps(), 90);
  for (int step = 0; step <= 100; ++step) {
    EXPECT_EQ(schedule.at(step), held.at(step));
    EXPECT_EQ(schedule(step / 90.0), held(step / 90.0));
  }
}

TEST(any_schedule, holds_only_what_has_a_length) {
  static_assert(std::is_constructible_v<any_schedule, decltype(cosine(4, 1) | over(10))>);
  static_assert(!std::is_constructible_v<any_schedule, cosine>);
  static_assert(!std::is_constructible_v<any_schedule, schedule::step_decay>);
  static_assert(schedule::timed<any_schedule>);
}

TEST(any_schedule, is_a_value) {
  any_schedule original = constant(4) | over(10);
  any_schedule const copy = original;
  original = cosine(2, 1) | over(20);
  EXPECT_EQ(copy.at(0), 4);
  EXPECT_EQ(original.at(0), 2);
  EXPECT_EQ(original.total_steps(), 20);
}

TEST(any_schedule, is_still_there_after_a_move) {
  any_schedule original = constant(4) | over(10);
  any_schedule const moved = std::move(original);
  EXPECT_EQ(moved.at(0), 4);
  EXPECT_EQ(original.at(0), 4);  // NOLINT(bugprone-use-after-move): this is the promise
}

TEST(any_schedule, composes_like_any_other) {
  any_schedule schedule = schedule::linear(8, 0) | over(10);
  schedule = schedule | schedule::clamp(1, 5) | schedule::then(schedule | over(30));
  schedule = 0.5 * schedule;
  EXPECT_EQ(schedule.total_steps(), 40);
  EXPECT_EQ(schedule.at(0), 2.5);
  EXPECT_EQ(schedule.at(5), 2);
  EXPECT_EQ(schedule.at(10), 4);
  EXPECT_EQ(schedule.at(40), 0);
}

TEST(any_schedule, lives_in_containers) {
  std::vector<any_schedule> schedules;
  for (int i = 1; i <= 20; ++i) schedules.push_back(constant(i) | over(i));
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(schedules[static_cast<std::size_t>(i - 1)].at(0), i);
}

}  // namespace
}  // namespace distil
