#include "distil/schedule/magnitude_balance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(magnitude_balance, brings_a_loss_to_the_share_of_another) {
  magnitude_balance balance({.share = 0.5});
  EXPECT_EQ(balance.weight(), 1.0);
  EXPECT_EQ(balance.weight(4.0, 0.5) * 0.5, 2.0);
  EXPECT_EQ(balance.weight(-4.0, 8.0) * 8.0, 2.0);
}

TEST(magnitude_balance, smooths_both_magnitudes) {
  magnitude_balance balance({.smoothing = 0.75});
  balance.weight(2.0, 1.0);
  EXPECT_NEAR(balance.weight(6.0, 5.0), (0.75 * 2 + 0.25 * 6) / (0.75 * 1 + 0.25 * 5), 1e-15);
}

TEST(magnitude_balance, stays_in_its_bounds_and_ignores_what_is_no_number) {
  magnitude_balance balance({.minimum = 0.5, .maximum = 3});
  EXPECT_EQ(balance.weight(std::nan(""), 1.0), 1.0);
  EXPECT_EQ(balance.weight(9.0, 1.0), 3.0);
  EXPECT_EQ(balance.weight(1.0, infinity), 3.0);
  EXPECT_EQ(balance.weight(0.0, 1.0), 0.5);
  EXPECT_EQ(balance.weight(1.0, 0.0), 3.0);
}

TEST(magnitude_balance, continues_from_its_state) {
  magnitude_balance balance({.smoothing = 0.9}), resumed({.smoothing = 0.9});
  EXPECT_EQ(magnitude_state_from(to_text(balance.save())), balance.save());
  balance.weight(1.0 / 3, 0.1);
  resumed.restore(magnitude_state_from(to_text(balance.save())));
  EXPECT_EQ(resumed.weight(2.0, 7.0), balance.weight(2.0, 7.0));
}

TEST(magnitude_balance, refuses) {
  std::string const where = "distil::schedule::magnitude_balance";
  EXPECT_EQ(refusal_of([] { magnitude_balance({.share = 0}); }),
            where + ": share is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { magnitude_balance({.smoothing = 1}); }),
            where + ": smoothing is 1; it must be within [0, 1)");
  EXPECT_EQ(refusal_of([] { magnitude_balance({.minimum = 5, .maximum = 2}); }),
            where + ": minimum is 5; it must be within [0, maximum]");
  magnitude_balance balance;
  EXPECT_EQ(refusal_of([&] {
              balance.restore({1.0, -1});
            }),
            where + "::restore: loss is -1; it must be finite and >= 0");
  EXPECT_NE(refusal_of([] { magnitude_state_from("reference=x loss=1"); }), "");
}

}  // namespace
}  // namespace distil::schedule
