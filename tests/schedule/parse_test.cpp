#include "distil/schedule/parse.hpp"

#include <gtest/gtest.h>

#include <string>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using distil::testing::refusal_of;
using schedule::over;

template <schedule::timed Expected>
void expect_same(std::string_view text, Expected const& expected) {
  any_schedule const parsed = parse_schedule(text, expected.total_steps());
  EXPECT_EQ(parsed.total_steps(), expected.total_steps());
  for (int step = 0; step <= 100; ++step)
    EXPECT_DOUBLE_EQ(parsed.at(step), expected.at(step)) << text << " at " << step;
}

TEST(parse_schedule, makes_every_named_schedule) {
  expect_same("constant:4", schedule::constant(4) | over(100));
  expect_same("linear:4:1", schedule::linear(4, 1) | over(100));
  expect_same("cosine:4:1", schedule::cosine(4, 1) | over(100));
  expect_same("exponential:8:0.25", schedule::exponential(8, 0.25) | over(100));
  expect_same("piecewise:0:1:0.3:3:1:1.5", schedule::piecewise({{0, 1}, {0.3, 3}, {1, 1.5}}) | over(100));
  expect_same("three_stage", schedule::three_stage() | over(100));
  expect_same("three_stage:2:6:4",
              schedule::three_stage({.warm_up_value = 2, .hold_value = 6, .final_value = 4}) | over(100));
  expect_same(
      "three_stage:2:6:4:0.5:0.75",
      schedule::three_stage(
          {.warm_up_value = 2, .hold_value = 6, .final_value = 4, .warm_up_end = 0.5, .hold_end = 0.75}) |
          over(100));
  expect_same("step_decay:8:0.5:30", schedule::step_decay(8, 0.5, 30) | over(100));
  expect_same("multi_step:8:0.5:30:60:80", schedule::multi_step(8, 0.5, {30, 60, 80}) | over(100));
  expect_same("logarithmic:27:3:20:2", schedule::logarithmic(27, 3, 20, 2) | over(100));
  expect_same("warm_up:20:0:0.9", schedule::warm_up(20, 0, 0.9) | over(100));
}

TEST(parse_schedule, reads_every_spelling_of_a_number) {
  EXPECT_EQ(parse_schedule("constant:-1.5e-3", 1).at(0), -1.5e-3);
  EXPECT_EQ(parse_schedule("constant:.5", 1).at(0), 0.5);
}

TEST(parse_schedule, keeps_a_range) {
  expect_same("cosine:8:0.7|power_of_two", schedule::cosine(8, 0.7) | schedule::power_of_two() | over(100));
  expect_same("cosine:8:0.5|clamp:1:5", schedule::cosine(8, 0.5) | schedule::clamp(1, 5) | over(100));
}

TEST(parse_schedule, puts_one_after_another) {
  expect_same("linear:1:4@20,constant:4@50,cosine:8:1|clamp:1:4@30",
              schedule::linear(1, 4) | over(20) | schedule::then(schedule::constant(4) | over(50)) |
                  schedule::then(schedule::cosine(8, 1) | schedule::clamp(1, 4) | over(30)));
}

TEST(parse_schedule, stretches_a_sequence_to_the_run) {
  any_schedule const schedule = parse_schedule("linear:1:3@1,linear:3:2@3", 400);
  EXPECT_EQ(schedule.at(50), 2);
  EXPECT_EQ(schedule.at(100), 3);
  EXPECT_EQ(schedule.at(250), 2.5);
  EXPECT_EQ(schedule.total_steps(), 400);
}

TEST(parse_schedule, takes_the_length_as_a_number_or_as_over) {
  EXPECT_EQ(parse_schedule("linear:0:1", std::size_t{10}).at(5), 0.5);
  EXPECT_EQ(parse_schedule("linear:0:1", over(10)).at(5), 0.5);
}

std::string refusal(std::string_view text) {
  return refusal_of([&] { parse_schedule(text, 100); });
}

TEST(parse_schedule, says_which_names_there_are) {
  std::string const text = refusal("cosin:4:1");
  EXPECT_EQ(
      text.find(
          "distil::parse_schedule: name is \"cosin\"; it must be one of constant:VALUE linear:START:END "
          "cosine:START:END"),
      0U)
      << text;
  for (auto const& each : schedule::detail::named_schedules) {
    EXPECT_NE(text.find(std::string(each.usage)), std::string::npos) << each.usage;
    EXPECT_EQ(each.usage.substr(0, each.name.size()), each.name);
  }
  EXPECT_NE(refusal("").find("name is \"\""), std::string::npos);
}

TEST(parse_schedule, says_which_numbers_a_schedule_takes) {
  EXPECT_EQ(refusal("cosine:4"),
            "distil::parse_schedule: schedule is \"cosine:4\"; it must be cosine:START:END");
  EXPECT_EQ(refusal("cosine:4:1:2"),
            "distil::parse_schedule: schedule is \"cosine:4:1:2\"; it must be cosine:START:END");
  EXPECT_EQ(refusal("piecewise:0:1:1"),
            "distil::parse_schedule: schedule is \"piecewise:0:1:1\"; it must be "
            "piecewise:PROGRESS:VALUE:PROGRESS:VALUE...");
  EXPECT_EQ(refusal("three_stage:1:2"),
            "distil::parse_schedule: schedule is \"three_stage:1:2\"; it must be "
            "three_stage[:WARM_UP:HOLD:FINAL[:WARM_UP_END:HOLD_END]]");
  EXPECT_NE(refusal("multi_step:1:0.5"), "");
  EXPECT_NE(refusal("piecewise"), "");
}

TEST(parse_schedule, says_what_is_not_a_number) {
  EXPECT_EQ(refusal("cosine:4:x"),
            "distil::parse_schedule: a number is \"x\"; it must be a number such as 4, 0.5 or 1e-3");
  EXPECT_EQ(refusal("cosine:4:"),
            "distil::parse_schedule: a number is \"\"; it must be a number such as 4, 0.5 or 1e-3");
  EXPECT_EQ(refusal("cosine: 4:1"),
            "distil::parse_schedule: a number is \" 4\"; it must be a number such as 4, 0.5 or 1e-3");
}

TEST(parse_schedule, leaves_the_values_to_the_schedules) {
  EXPECT_EQ(refusal("exponential:4:-1"),
            "distil::schedule::exponential: rate is -1; it must be a finite number above 0");
  EXPECT_EQ(refusal("linear:nan:1"), "distil::schedule::linear: start is nan; it must be a finite number");
  EXPECT_EQ(refusal("cosine:4:1|clamp:5:1"), "distil::schedule::clamp: lower is 5; it must be at most upper");
  EXPECT_EQ(refusal("cosine:4:1@0"),
            "distil::schedule::over: total_steps is 0; it must be a finite number above 0");
}

TEST(parse_schedule, says_what_may_follow_a_bar) {
  EXPECT_EQ(
      refusal("cosine:4:1|clip:1:5"),
      "distil::parse_schedule: text after | is \"clip:1:5\"; it must be clamp:LOWER:UPPER or power_of_two");
  EXPECT_NE(refusal("cosine:4:1|clamp:1"), "");
  EXPECT_NE(refusal("cosine:4:1|"), "");
}

TEST(parse_schedule, says_what_a_part_of_a_sequence_lacks) {
  EXPECT_EQ(refusal("linear:1:4@20,constant:4"),
            "distil::parse_schedule: part of a sequence is \"constant:4\"; it must be a schedule and its "
            "length, as "
            "linear:1:4@20");
  EXPECT_NE(refusal("linear:1:4@20,"), "");
  EXPECT_NE(refusal("linear:1:4@20@30"), "");
  EXPECT_NE(refusal("linear:1:4@"), "");
}

}  // namespace
}  // namespace distil
