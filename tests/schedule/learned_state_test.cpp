#include "distil/schedule/learned_state.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(learned_state, is_one_readable_line) {
  EXPECT_EQ(to_text(learned_state{.parameter = 1.5, .velocity = -2}), "parameter=1.5 velocity=-2");
}

TEST(learned_state, comes_back_exactly) {
  for (double const awkward :
       {1.0 / 3, 0.1 + 0.2, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    learned_state const state{.parameter = awkward, .velocity = -awkward};
    EXPECT_EQ(learned_state_from(to_text(state)), state);
  }
}

TEST(learned_state, refuses_every_other_text) {
  EXPECT_EQ(refusal_of([] { learned_state_from("parameter=1"); }),
            "distil::schedule::learned_state_from: text is \"\" where velocity should stand; it must be "
            "what to_text made: parameter=... velocity=...");
  for (auto const* const text :
       {"", " ", "parameter", "parameter=", "parameter= velocity=", "parameter=1 velocity=",
        "parameter=1x velocity=2", "parameter=1  velocity=2", "parameter=1 velocity=2 more=1",
        "velocity=2 parameter=1", "value=1 velocity=2", "parameter=1 velocity=2 "}) {
    EXPECT_NE(refusal_of([&] { learned_state_from(text); }), "") << text;
  }
}

}  // namespace
}  // namespace distil::schedule
