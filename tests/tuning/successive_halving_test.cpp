#include "distil/tuning/successive_halving.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/refusal.hpp"

namespace distil::tuning {
namespace {

using distil::testing::refusal_of;

TEST(successive_halving, lets_the_best_of_each_rung_go_on) {
  successive_halving halving({.factor = 3, .last_rung = 9});
  EXPECT_TRUE(halving.is_rung(1) && halving.is_rung(3) && halving.is_rung(9));
  EXPECT_FALSE(halving.is_rung(2) || halving.is_rung(27));
  EXPECT_FALSE(halving.stops(0, 1, 0.5));  // the best so far
  EXPECT_TRUE(halving.stops(1, 1, 0.6));
  EXPECT_FALSE(halving.stops(2, 1, 0.4));
  EXPECT_TRUE(halving.stops(3, 1, 0.45));
  EXPECT_TRUE(halving.stops(4, 1, 0.7));
  EXPECT_FALSE(halving.stops(5, 1, 0.42));  // the second of six, of whom two go on
  EXPECT_FALSE(halving.stops(0, 9, 99));    // none stops at the end
}

TEST(successive_halving, maximises_and_stops_what_is_no_number) {
  successive_halving halving({.wanted = goal::maximise, .factor = 2, .last_rung = 4});
  EXPECT_TRUE(halving.stops(0, 1, std::nan("")));
  EXPECT_FALSE(halving.stops(1, 1, 0.1));
  EXPECT_FALSE(halving.stops(2, 1, 0.2));
  EXPECT_TRUE(halving.stops(3, 1, 0.05));
}

TEST(successive_halving, refuses) {
  EXPECT_EQ(refusal_of([] { successive_halving({.factor = 1}); }),
            "distil::tuning::successive_halving: factor is 1; it must be at least 2");
  successive_halving halving;
  EXPECT_EQ(refusal_of([&] { halving.stops(0, 2, 0); }),
            "distil::tuning::successive_halving::stops: spent is 2; it must be a rung");
  halving.stops(0, 1, 0);
  EXPECT_EQ(refusal_of([&] { halving.stops(0, 1, 0); }),
            "distil::tuning::successive_halving::stops: trial is 0; it must be one that was not at this rung "
            "before");
}

}  // namespace
}  // namespace distil::tuning
