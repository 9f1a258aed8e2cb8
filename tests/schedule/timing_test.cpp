#include "distil/schedule/timing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "../support/refusal.hpp"
#include "distil/schedule/shapes.hpp"
#include "distil/schedule/steps.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(over, gives_a_shape_steps) {
  constexpr auto schedule = linear(4, 1) | over(300);
  static_assert(timed<decltype(schedule)>);
  static_assert(schedule.total_steps() == 300);
  static_assert(schedule.at(0) == 4);
  static_assert(schedule.at(100) == 3);
  static_assert(schedule.at(std::int64_t{300}) == 1);
  static_assert(schedule.at(10'000) == 1);
  static_assert(schedule(0.5) == 2.5);
}

TEST(over, gives_a_step_rule_progress_and_leaves_its_steps) {
  auto const schedule = step_decay(8, 0.5, 30) | over(90);
  static_assert(timed<decltype(schedule)>);
  EXPECT_EQ(schedule.at(30), 4);
  EXPECT_EQ(schedule(1.0 / 3), 4);
  EXPECT_EQ(schedule(1), 1);
  EXPECT_EQ(schedule.at(1000), 1);  // the run has ended
}

TEST(over, stretches_what_has_a_length_already) {
  auto const once = step_decay(8, 0.5, 30) | over(90);
  auto const twice = once | over(900);
  EXPECT_EQ(twice.at(299), 8);
  EXPECT_EQ(twice.at(300), 4);
  EXPECT_EQ(twice(0.5), once(0.5));
}

TEST(over, takes_a_function_for_a_shape) {
  constexpr auto square = [](double x) { return x * x; };
  static_assert((square | over(4)).at(2) == 0.25);
  static_assert((square | over(4)).at(-2) == 0);
}

TEST(over, refuses_a_run_without_length) {
  EXPECT_EQ(refusal_of([] { over{0}; }),
            "distil::schedule::over: total_steps is 0; it must be a finite number above 0");
  EXPECT_NE(refusal_of([] { over{-5}; }), "");
  EXPECT_NE(refusal_of([] { over{std::numeric_limits<double>::quiet_NaN()}; }), "");
  EXPECT_NE(refusal_of([] { over{std::numeric_limits<double>::infinity()}; }), "");
}

TEST(then, runs_one_after_the_other) {
  constexpr auto schedule =
      linear(1, 4) | over(20) | then(constant(4) | over(50)) | then(linear(4, 2) | over(10));
  static_assert(timed<decltype(schedule)>);
  static_assert(schedule.total_steps() == 80);
  static_assert(schedule.at(0) == 1);
  static_assert(schedule.at(10) == 2.5);
  static_assert(schedule.at(20) == 4);
  static_assert(schedule.at(69) == 4);
  static_assert(schedule.at(75) == 3);
  static_assert(schedule.at(80) == 2);
  static_assert(schedule.at(99) == 2);
  static_assert(schedule(0.125) == 2.5);
  static_assert(schedule(1) == 2);
}

TEST(then, hands_over_at_the_boundary) {
  constexpr auto schedule = constant(1) | over(10) | then(constant(2) | over(10));
  static_assert(schedule.at(9) == 1);
  static_assert(schedule.at(10) == 2);
  static_assert(schedule(0.5) == 2);
}

TEST(then, gives_each_part_its_own_clock) {
  auto const schedule = constant(9) | over(7) | then(step_decay(8, 0.5, 5) | over(20));
  EXPECT_EQ(schedule.at(6), 9);
  EXPECT_EQ(schedule.at(11), 8);
  EXPECT_EQ(schedule.at(12), 4);
}

TEST(then, has_shares_of_the_run_for_lengths_once_it_is_stretched) {
  auto const shares = linear(0, 1) | over(0.2) | then(constant(1) | over(0.8));
  auto const schedule = shares | over(1000);
  EXPECT_EQ(schedule.at(100), 0.5);
  EXPECT_EQ(schedule.at(200), 1);
  EXPECT_EQ(schedule.at(1000), 1);
}

TEST(then, is_associative) {
  auto const a = linear(1, 4) | over(3);
  auto const b = cosine(4, 2) | over(5);
  auto const c = exponential(2, 0.5) | over(4);
  auto const left = a | then(b) | then(c);
  auto const right = a | then(b | then(c));
  EXPECT_EQ(left.total_steps(), right.total_steps());
  for (int i = 0; i <= 24; ++i) EXPECT_EQ(left.at(i / 2.0), right.at(i / 2.0)) << i;
}

TEST(timed, reaches_every_step_of_every_run_by_its_progress) {
  // (step / total) * total falls below the step for some of these, step 15 of 22 for one.
  for (int total = 2; total <= 120; ++total) {
    for (int step = 1; step < total; ++step) {
      double const progress = static_cast<double>(step) / total;
      auto const milestone = multi_step(2, 0.5, {static_cast<double>(step)}) | over(total);
      auto const boundary = constant(2) | over(step) | then(constant(1) | over(total - step));
      ASSERT_EQ(milestone(progress), 1) << step << " of " << total;
      ASSERT_EQ(boundary(progress), 1) << step << " of " << total;
    }
  }
}

TEST(timed, answers_both_questions_alike) {
  auto const expect_alike = [](auto const& schedule) {
    for (int step = 0; step <= 300; ++step) {
      EXPECT_EQ(schedule(step / 300.0), schedule.at(step)) << "at " << step;
    }
  };
  expect_alike(cosine(4, 1) | over(300));
  expect_alike(multi_step(4, 0.5, {29, 77, 299}) | over(300));
  expect_alike(constant(1) | over(100) | then(step_decay(1, 0.5, 7) | over(200)));
}

TEST(over, gives_the_last_step_the_end_where_told) {
  auto const plain = linear(0, 1) | over(5);
  EXPECT_DOUBLE_EQ(plain.at(4), 0.8);
  auto const to_the_end = linear(0, 1) | over(5, end_of_run::at_last_step);
  EXPECT_EQ(to_the_end.at(0), 0.0);
  EXPECT_DOUBLE_EQ(to_the_end.at(1), 0.25);
  EXPECT_EQ(to_the_end.at(4), 1.0);
  EXPECT_EQ(to_the_end.at(7), 1.0);
  EXPECT_EQ(to_the_end.total_steps(), 5.0);
  EXPECT_DOUBLE_EQ(to_the_end(0.4), to_the_end.at(2)) << "the answers agree";
  EXPECT_EQ(to_the_end(1.0), 1.0);
  EXPECT_EQ((to_the_end | over(1000)).at(999), 1.0) << "and stay so when it is stretched";
  for (int const total : {3, 7, 49, 1000}) {  // not a rounding short of it
    EXPECT_EQ((cosine(4, 1) | over(total, end_of_run::at_last_step)).at(total - 1), 1.0) << total;
  }
}

TEST(over, of_one_step_has_the_end_where_told) {
  EXPECT_EQ((linear(2, 1) | over(1)).at(0), 2.0);
  EXPECT_EQ((linear(2, 1) | over(1, end_of_run::at_last_step)).at(0), 1.0);
  EXPECT_EQ((linear(2, 1) | over(0.5, end_of_run::at_last_step)).at(0), 1.0);
}

TEST(over, leaves_rules_of_steps_their_steps) {
  auto const rule = warm_up(10) | over(10, end_of_run::at_last_step);
  EXPECT_EQ(rule.at(9), warm_up(10).at(9));
  auto const sequence = linear(0, 1) | over(3, end_of_run::at_last_step) | then(linear(0, 1) | over(10));
  EXPECT_EQ(sequence.at(2), 1.0);
  EXPECT_EQ(sequence.at(3), 0.0);
  EXPECT_EQ(sequence.total_steps(), 13.0);
}

}  // namespace
}  // namespace distil::schedule
