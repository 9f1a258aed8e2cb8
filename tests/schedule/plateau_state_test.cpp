#include "distil/schedule/plateau_state.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(plateau_state, is_one_readable_line) {
  EXPECT_EQ(to_text({.value = 2, .best = 0.31, .stalled = 1, .cooldown_left = 4}),
            "value=2 best=0.31 stalled=1 cooldown_left=4");
  EXPECT_EQ(to_text({.value = 2}), "value=2 best=none stalled=0 cooldown_left=0");
}

TEST(plateau_state, comes_back_exactly) {
  for (double const awkward :
       {1.0 / 3, 0.1 + 0.2, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    plateau_state const state{.value = awkward, .best = -awkward, .stalled = 7, .cooldown_left = 2};
    EXPECT_EQ(plateau_state_from(to_text(state)), state);
    plateau_state const without_best{.value = awkward, .stalled = 7};
    EXPECT_EQ(plateau_state_from(to_text(without_best)), without_best);
  }
}

TEST(plateau_state, refuses_every_other_text) {
  std::string const where = "distil::schedule::plateau_state_from: ";
  EXPECT_EQ(refusal_of([] { plateau_state_from("value=2 stalled=1"); }),
            where +
                "text is \"stalled=1\" where best should stand; it must be what to_text made: value=... "
                "best=... stalled=... cooldown_left=...");
  EXPECT_EQ(refusal_of([] { plateau_state_from("value=2x best=none stalled=1 cooldown_left=0"); }),
            where + "value is \"2x\"; it must be a number");
  EXPECT_EQ(refusal_of([] { plateau_state_from("value=2 best=nonesuch stalled=1 cooldown_left=0"); }),
            where + "best is \"nonesuch\"; it must be a number");
  EXPECT_EQ(refusal_of([] { plateau_state_from("value=2 best=1 stalled=1.5 cooldown_left=0"); }),
            where + "stalled is \"1.5\"; it must be a number");
  EXPECT_EQ(refusal_of([] { plateau_state_from("value=2 best=1 stalled=1 cooldown_left=0 more=1"); }),
            where + "text after the state is \"more=1\"; it must be nothing");
  for (auto const* const text :
       {"", " ", "value", "value=", "value=2", "value=2  best=1 stalled=1 cooldown_left=0",
        "value=2 best=1 stalled=1 cooldown_left="}) {
    EXPECT_NE(refusal_of([&] { plateau_state_from(text); }), "") << text;
  }
}

}  // namespace
}  // namespace distil::schedule
