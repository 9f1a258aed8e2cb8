#include "distil/compression/learned_step_size.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/core/random_stream.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;

auto of(numbers& all) { return matrix_view(all, 1, static_cast<index>(all.size())); }
auto of(numbers const& all) { return matrix_view(all, 1, static_cast<index>(all.size())); }

TEST(learned_step_size, begins_at_twice_the_mean_magnitude) {
  numbers const v{1, -3, 2, 0};
  EXPECT_EQ(learned_step_size(of(v)).step(), 2 * 1.5 / std::sqrt(7.0));
  EXPECT_EQ(learned_step_size(of(v), {.bits = 3, .is_signed = false}).step(), 2 * 1.5 / std::sqrt(7.0));
  EXPECT_EQ(learned_step_size(of(v)).least(), -8);
}

TEST(learned_step_size, rounds_within_its_clamp) {
  numbers const v{0.4, 0.6, -1.4, 2.5, 100, -100, std::nan("")};
  learned_step_size step(of(v), {.bits = 3});
  step.restore({1.0, 0.0});
  numbers rounded(7);
  step.round(of(v), of(rounded));
  EXPECT_EQ(numbers(rounded.begin(), rounded.begin() + 6), (numbers{0, 1, -1, 2, 3, -4}));
  EXPECT_TRUE(std::isnan(rounded[6]));
}

/// Straight-through: the derivative of a sum in which the rounding is held fixed as a function of v and s.
TEST(learned_step_size, has_the_derivatives_of_the_paper) {
  numbers const v{0.4, 0.6, -1.4, 2.6, 100, -100}, upstream{1, -2, 3, 0.5, 0.25, -4};
  learned_step_size step(of(v), {.bits = 3});
  step.restore({1.1, 0.0});
  numbers gradient(6);
  double const by_step = step.pull_back(of(v), of(upstream), of(gradient));
  auto const sum = [&](double s, std::size_t moved, double d) {
    double total = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      double const x = v[i] + (i == moved ? d : 0), held = std::round(v[i] / 1.1) - v[i] / 1.1;
      double const scaled = std::min(std::max(x / s, -4.0), 3.0);
      bool const inside = v[i] / 1.1 > -4 && v[i] / 1.1 < 3;
      total += upstream[i] * (inside ? (scaled + held) * s : scaled * s);
    }
    return total;
  };
  constexpr double h = 1e-6;
  EXPECT_NEAR(by_step * std::sqrt(6 * 3.0), (sum(1.1 + h, 9, 0) - sum(1.1 - h, 9, 0)) / (2 * h), 1e-8);
  for (std::size_t i = 0; i < v.size(); ++i) {
    EXPECT_NEAR(gradient[i], (sum(1.1, i, h) - sum(1.1, i, -h)) / (2 * h), 1e-8) << i;
  }
}

TEST(learned_step_size, learns_a_step_that_rounds_better) {
  random_stream random(1);
  numbers v(500), rounded(500), gradient(500);
  for (double& x : v) x = random.normal();
  learned_step_size step(of(v), {.bits = 3, .learning_rate = 0.05, .momentum = 0});
  auto const error = [&] {
    step.round(of(v), of(rounded));
    double sum = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      gradient[i] = 2 * (rounded[i] - v[i]) / 500;
      sum += (rounded[i] - v[i]) * (rounded[i] - v[i]) / 500;
    }
    return sum;
  };
  double const before = error();
  numbers unused(500);
  for (int i = 0; i < 3000; ++i) {
    (void)error();
    step.descend(step.pull_back(of(v), of(gradient), of(unused)));
  }
  EXPECT_LT(error(), 0.8 * before);
  EXPECT_NEAR(step.step(), 0.586, 0.05);  // the best for a normal distribution in three bits
}

TEST(learned_step_size, stays_positive_and_continues_from_its_state) {
  numbers const v{1, 2};
  learned_step_size step(of(v)), resumed(of(v));
  double const before = step.step();
  step.descend(1e9);
  EXPECT_EQ(step.step(), before / 2);
  step.descend(std::nan(""));
  EXPECT_EQ(step.step(), before / 2);
  step.descend(0.1);
  resumed.restore(learned_step_state_from(to_text(step.save())));
  step.descend(0.1);
  resumed.descend(0.1);
  EXPECT_EQ(resumed.save(), step.save());
}

TEST(learned_step_size, refuses) {
  numbers const zeros{0, 0}, v{1, 2};
  EXPECT_EQ(refusal_of([&] { learned_step_size step(of(zeros)); }),
            "distil::learned_step_size: numbers is all 0, or not finite; it must be some that are not 0");
  EXPECT_EQ(refusal_of([&] { learned_step_size step(of(v), {.bits = 1}); }),
            "distil::learned_step_size: bits is 1; it must be within [2, 8]");
  learned_step_size step(of(v));
  EXPECT_EQ(refusal_of([&] {
              step.restore({0, 0});
            }),
            "distil::learned_step_size::restore: step is 0; it must be finite and > 0");
  EXPECT_NE(refusal_of([] { learned_step_state_from("step=1"); }), "");
}

}  // namespace
}  // namespace distil
