#include "distil/schedule/shapes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class S>
void expect_falling_without_jumps(S const& schedule, double largest_move) {
  double before = schedule(0.0);
  for (int i = 1; i <= 1000; ++i) {
    double const now = schedule(i / 1000.0);
    EXPECT_LE(now, before) << "at " << i;
    EXPECT_LE(before - now, largest_move) << "at " << i;
    before = now;
  }
}

TEST(constant, is_the_value_whatever_is_asked) {
  static_assert(constant(3)(0.7) == 3);
  static_assert(constant(3).at(1'000'000) == 3);
  EXPECT_EQ(refusal_of([] { constant{infinity}; }),
            "distil::schedule::constant: value is inf; it must be a finite number");
}

TEST(linear, meets_its_ends_and_the_middle) {
  static_assert(linear(4, 1)(0) == 4);
  static_assert(linear(4, 1)(0.5) == 2.5);
  static_assert(linear(4, 1)(1) == 1);
  EXPECT_EQ(linear(0.1, 0.7)(1), 0.7);  // start + (end - start) would miss it
  EXPECT_EQ(linear(4, 1)(-2), 4);
  EXPECT_EQ(linear(4, 1)(9), 1);
  expect_falling_without_jumps(linear(4, 1), 0.00301);
}

TEST(linear, refuses_what_is_not_finite) {
  EXPECT_EQ(refusal_of([] { linear(nan, 1); }),
            "distil::schedule::linear: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { linear(1, -infinity); }),
            "distil::schedule::linear: end is -inf; it must be a finite number");
}

TEST(cosine, meets_its_ends_and_hand_computed_points) {
  cosine const schedule(4, 1);
  EXPECT_EQ(schedule(0), 4);
  EXPECT_NEAR(schedule(0.25), 2.5 + 1.5 * std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(schedule(1.0 / 3), 3.25, 1e-15);  // cos 60 degrees = 1/2
  EXPECT_NEAR(schedule(0.5), 2.5, 1e-15);
  EXPECT_EQ(schedule(1), 1);
  EXPECT_EQ(cosine(0.1, 0.7)(1), 0.7);
  // Near the start it falls by 3 (pi x / 2)^2; 1 - cos(pi x) would have lost all of it here.
  EXPECT_NEAR(cosine(0, 1)(1e-9) / std::pow(std::numbers::pi / 2 * 1e-9, 2), 1, 1e-12);
}

TEST(cosine, falls_without_jumps_and_is_flat_at_both_ends) {
  expect_falling_without_jumps(cosine(4, 1), 0.00472);  // 3 pi / 2 is its steepest
  EXPECT_LT(cosine(4, 1)(0) - cosine(4, 1)(0.001), 1e-5);
  EXPECT_LT(cosine(4, 1)(0.999) - cosine(4, 1)(1), 1e-5);
}

TEST(cosine, refuses_what_is_not_finite) {
  EXPECT_EQ(refusal_of([] { cosine(nan, 1); }),
            "distil::schedule::cosine: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { cosine(1, nan); }),
            "distil::schedule::cosine: end is nan; it must be a finite number");
}

TEST(exponential, multiplies_by_the_rate_over_the_run) {
  exponential const schedule(8, 0.25);
  EXPECT_EQ(schedule(0), 8);
  EXPECT_EQ(schedule(0.5), 4);
  EXPECT_EQ(schedule(1), 2);
  expect_falling_without_jumps(schedule, 0.0111);  // 8 ln 4 is its steepest
}

TEST(exponential, between_two_values_has_the_geometric_mean_in_the_middle) {
  EXPECT_EQ(exponential::between(4, 1)(0), 4);
  EXPECT_EQ(exponential::between(4, 1)(0.5), 2);
  EXPECT_EQ(exponential::between(4, 1)(1), 1);
  EXPECT_DOUBLE_EQ(exponential::between(-3, -0.7)(1), -0.7);
}

TEST(exponential, refuses_rates_and_ends_without_a_curve) {
  EXPECT_EQ(refusal_of([] { exponential(1, 0); }),
            "distil::schedule::exponential: rate is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { exponential(1, -0.5); }),
            "distil::schedule::exponential: rate is -0.5; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { exponential(nan, 1); }),
            "distil::schedule::exponential: start is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { exponential::between(0, 1); }),
            "distil::schedule::exponential::between: start is 0; it must be other than 0");
  EXPECT_EQ(
      refusal_of([] { exponential::between(2, -1); }),
      "distil::schedule::exponential::between: end is -1; it must be other than 0 and of the same sign as "
      "start");
}

TEST(piecewise, goes_through_its_knots_on_straight_lines) {
  piecewise const schedule({{0, 1}, {0.25, 3}, {0.75, 3}, {1, 2}});
  EXPECT_EQ(schedule(0), 1);
  EXPECT_EQ(schedule(0.125), 2);
  EXPECT_EQ(schedule(0.25), 3);
  EXPECT_EQ(schedule(0.5), 3);
  EXPECT_EQ(schedule(0.875), 2.5);
  EXPECT_EQ(schedule(1), 2);
}

TEST(piecewise, holds_its_first_and_last_value_outside_the_knots) {
  piecewise const schedule({{0.25, 1}, {0.5, 2}});
  EXPECT_EQ(schedule(0.1), 1);
  EXPECT_EQ(schedule(0.9), 2);
  EXPECT_EQ(piecewise({{0.5, 7}})(0.2), 7);
  EXPECT_EQ(piecewise({{0.5, 7}})(0.8), 7);
}

TEST(piecewise, jumps_where_two_knots_share_a_progress) {
  piecewise const schedule({{0, 4}, {0.5, 4}, {0.5, 1}, {1, 1}});
  EXPECT_EQ(schedule(std::nextafter(0.5, 0)), 4);
  EXPECT_EQ(schedule(0.5), 1);
  EXPECT_EQ(schedule(1), 1);
}

TEST(piecewise, refuses_knots_that_are_no_curve) {
  EXPECT_EQ(refusal_of([] { piecewise({}); }),
            "distil::schedule::piecewise: knots is empty; it must be at least one knot");
  EXPECT_EQ(
      refusal_of([] {
        piecewise({{0.5, 1}, {0.25, 1}});
      }),
      "distil::schedule::piecewise: progress of a knot is 0.25; it must be within [0, 1] and not below the "
      "one before");
  EXPECT_EQ(
      refusal_of([] {
        piecewise({{nan, 1}});
      }),
      "distil::schedule::piecewise: progress of a knot is nan; it must be within [0, 1] and not below the "
      "one before");
  EXPECT_EQ(refusal_of([] {
              piecewise({{0.5, infinity}});
            }),
            "distil::schedule::piecewise: value of a knot is inf; it must be a finite number");
}

TEST(shapes, refuse_a_progress_that_is_not_a_number) {
  EXPECT_NE(refusal_of([] { cosine(4, 1)(nan); }), "");
  EXPECT_NE(refusal_of([] { piecewise({{0, 1}})(nan); }), "");
}

}  // namespace
}  // namespace distil::schedule
