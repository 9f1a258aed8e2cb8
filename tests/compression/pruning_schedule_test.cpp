#include "distil/compression/pruning_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/refusal.hpp"
#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/timing.hpp"

namespace distil {
namespace {

using testing::refusal_of;

TEST(pruning_schedule, rises_by_a_cube_in_stairs) {
  pruning_schedule const sparsity(
      {.initial_sparsity = 0.1, .final_sparsity = 0.9, .begin = 100, .end = 500, .every = 100});
  auto const expected = [](double x) { return 0.9 - 0.8 * std::pow(1 - x, 3); };
  EXPECT_EQ(sparsity.at(0), 0.1);
  EXPECT_NEAR(sparsity.at(100), 0.1, 1e-15);
  EXPECT_NEAR(sparsity.at(200), expected(0.25), 1e-15);
  EXPECT_NEAR(sparsity.at(299.5), expected(0.25), 1e-15);
  EXPECT_NEAR(sparsity.at(400), expected(0.75), 1e-15);
  EXPECT_EQ(sparsity.at(500), 0.9);
  EXPECT_EQ(sparsity.at(1e9), 0.9);
}

TEST(pruning_schedule, says_when_it_is_due) {
  pruning_schedule const sparsity({.begin = 10, .end = 35, .every = 10});
  for (int step = 0; step < 50; ++step) {
    EXPECT_EQ(sparsity.is_due(step), step == 10 || step == 20 || step == 30 || step == 35) << step;
  }
}

TEST(pruning_schedule, is_a_schedule) {
  auto const kept =
      1.0 - (pruning_schedule({.final_sparsity = 0.5, .end = 10, .every = 1}) | schedule::over(20));
  EXPECT_EQ(kept.at(20), 0.5);
  EXPECT_EQ(kept(0), 1.0);
}

TEST(pruning_schedule, refuses) {
  EXPECT_EQ(refusal_of([] { pruning_schedule({.initial_sparsity = 0.7}); }),
            "distil::pruning_schedule: final_sparsity is 0.5; it must be within [initial_sparsity, 1]");
  EXPECT_EQ(refusal_of([] { pruning_schedule({.begin = 5, .end = 5}); }),
            "distil::pruning_schedule: end is 5; it must be after begin");
  EXPECT_EQ(refusal_of([] { pruning_schedule({.every = 0}); }),
            "distil::pruning_schedule: every is 0; it must be at least 1 step");
}

}  // namespace
}  // namespace distil
