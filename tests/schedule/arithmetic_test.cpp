#include "distil/schedule/arithmetic.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "../support/refusal.hpp"
#include "distil/schedule/steps.hpp"
#include "distil/schedule/timing.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(clamp, keeps_values_in_range_and_leaves_those_within) {
  constexpr auto schedule = linear(8, 0) | clamp(1, 5);
  static_assert(schedule(0) == 5);
  static_assert(schedule(0.5) == 4);
  static_assert(schedule(1) == 1);
}

TEST(clamp, answers_what_the_inner_schedule_answers) {
  using clamped_shape = decltype(linear(8, 0) | clamp(1, 5));
  using clamped_rule = decltype(step_decay(8, 0.5, 3) | clamp(1, 5));
  static_assert(shape<clamped_shape> && !step_rule<clamped_shape>);
  static_assert(step_rule<clamped_rule> && !shape<clamped_rule>);
  static_assert(timed<decltype(linear(8, 0) | over(10) | clamp(1, 5))>);
  EXPECT_EQ((step_decay(8, 0.5, 3) | clamp(3, 5)).at(0), 5);
  EXPECT_EQ((step_decay(8, 0.5, 3) | clamp(3, 5)).at(3), 4);
  EXPECT_EQ((step_decay(8, 0.5, 3) | clamp(3, 5)).at(6), 3);
}

TEST(clamp, commutes_with_over_and_is_idempotent) {
  auto const before = linear(8, 0) | clamp(1, 5) | over(10);
  auto const after = linear(8, 0) | over(10) | clamp(1, 5);
  auto const again = after | clamp(1, 5);
  for (int step = 0; step <= 10; ++step) {
    EXPECT_EQ(before.at(step), after.at(step));
    EXPECT_EQ(again.at(step), after.at(step));
  }
  EXPECT_EQ(after.total_steps(), 10);
}

TEST(clamp, refuses_an_empty_range) {
  EXPECT_EQ(refusal_of([] { clamp(5, 1); }), "distil::schedule::clamp: lower is 5; it must be at most upper");
  EXPECT_EQ(refusal_of([] { clamp(std::numeric_limits<double>::quiet_NaN(), 1); }),
            "distil::schedule::clamp: lower is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { clamp(0, std::numeric_limits<double>::infinity()); }),
            "distil::schedule::clamp: upper is inf; it must be a finite number");
  EXPECT_EQ(refusal_of([] { clamp(2, 2); }), "");
}

TEST(arithmetic, works_at_every_moment_with_schedules_and_numbers) {
  constexpr linear rising(0, 2);
  constexpr linear falling(3, 1);
  static_assert((rising + falling)(0.5) == 3);
  static_assert((rising - falling)(0.5) == -1);
  static_assert((rising * falling)(0.5) == 2);
  static_assert((2 * rising)(0.5) == 2);
  static_assert((rising * 2.0F)(0.5) == 2);
  static_assert((1 - rising)(0.25) == 0.5);
  static_assert((rising + 1)(1) == 3);
  static_assert((0.5 * (rising + falling) - 1)(0) == 0.5);
}

TEST(arithmetic, completes_a_soft_weight_to_one) {
  auto const soft = cosine(0.9, 0.4) | over(100);
  auto const hard = 1.0 - soft;
  for (int step = 0; step <= 100; ++step) EXPECT_DOUBLE_EQ(soft.at(step) + hard.at(step), 1);
}

TEST(arithmetic, answers_what_both_answer) {
  using two_shapes = decltype(linear(0, 1) * cosine(1, 0));
  using two_rules = decltype(warm_up(2) * step_decay(1, 0.5, 3));
  using one_of_each = decltype(linear(0, 1) * warm_up(2));
  static_assert(shape<two_shapes> && !step_rule<two_shapes>);
  static_assert(step_rule<two_rules> && !shape<two_rules>);
  static_assert(!schedule_like<one_of_each>);  // how long a step is, is not known
  static_assert(step_rule<decltype(2 * warm_up(2))> && shape<decltype(2 * linear(0, 1))>);
}

TEST(arithmetic, takes_the_length_of_the_one_that_has_it) {
  constexpr auto with_rule = warm_up(20) * (linear(1, 0) | over(100));
  static_assert(timed<decltype(with_rule)>);
  static_assert(with_rule.total_steps() == 100);
  static_assert(with_rule.at(10) == 0.5 * 0.9);
  static_assert(with_rule(0.1) == with_rule.at(10));
  static_assert(with_rule.at(1000) == 0);

  constexpr auto with_shape = (constant(3) | over(100)) + linear(0, 1);
  static_assert(timed<decltype(with_shape)>);
  static_assert(with_shape(0.25) == 3.25);
  static_assert(with_shape.at(25) == 3.25);
  static_assert(with_shape.at(1000) == 4);
}

TEST(arithmetic, of_a_rule_ends_with_the_run) {
  auto const schedule = step_decay(8, 0.5, 10) + (constant(0) | over(20));
  EXPECT_EQ(schedule.at(20), 2);
  EXPECT_EQ(schedule.at(1000), 2);
  EXPECT_EQ(schedule(1), 2);
}

TEST(arithmetic, refuses_two_lengths) {
  EXPECT_EQ(
      refusal_of([] { (linear(0, 1) | over(100)) * (linear(0, 1) | over(20)); }),
      "distil::schedule: total_steps of the second operand is 20; it must be equal to that of the first");
  EXPECT_EQ(refusal_of([] { (linear(0, 1) | over(100)) * (linear(0, 1) | over(100)); }), "");
}

TEST(arithmetic, distributes) {
  cosine const a(4, 1);
  linear const b(0, 2);
  for (int i = 0; i <= 20; ++i) {
    double const x = i / 20.0;
    EXPECT_EQ((a + b)(x), (b + a)(x));
    EXPECT_EQ((a * b)(x), (b * a)(x));
    EXPECT_DOUBLE_EQ((2 * (a + b))(x), (2 * a + 2 * b)(x));
  }
}

}  // namespace
}  // namespace distil::schedule
