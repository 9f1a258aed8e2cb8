#include "distil/schedule/uncertainty_weighting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(uncertainty_weighting, has_the_totals_of_the_papers_and_their_gradients) {
  for (auto const form :
       {uncertainty_form::regression, uncertainty_form::classification, uncertainty_form::positive}) {
    uncertainty_weighting balance(2, {.form = form});
    std::array const losses{0.7, 3.0};
    auto const total = [&](double s, double t) {
      auto const one = [&](double log_variance, double loss) {
        double const variance = std::exp(log_variance);
        if (form == uncertainty_form::classification) return loss / variance + std::log(std::sqrt(variance));
        if (form == uncertainty_form::regression)
          return loss / (2 * variance) + std::log(std::sqrt(variance));
        return loss / (2 * variance) + 0.5 * std::log(1 + variance);
      };
      return one(s, losses[0]) + one(t, losses[1]);
    };
    balance.restore(std::array{learned_state{0.4, 0}, learned_state{-1.2, 0}});
    EXPECT_NEAR(balance.total(losses), total(0.4, -1.2), 1e-15);
    constexpr double h = 1e-5;
    EXPECT_NEAR(balance.gradient(0, losses[0]), (total(0.4 + h, -1.2) - total(0.4 - h, -1.2)) / (2 * h),
                1e-9);
    EXPECT_NEAR(balance.gradient(1, losses[1]), (total(0.4, -1.2 + h) - total(0.4, -1.2 - h)) / (2 * h),
                1e-9);
  }
}

TEST(uncertainty_weighting, settles_where_the_variance_is_the_loss) {
  uncertainty_weighting squares(2, {.form = uncertainty_form::regression, .descent = {.learning_rate = 0.5}});
  uncertainty_weighting entropies(1, {.descent = {.learning_rate = 0.5}});
  for (int step = 0; step < 400; ++step) {
    squares.step(std::array{0.25, 9.0});
    entropies.step(std::array{2.0});
  }
  EXPECT_NEAR(std::exp(squares.log_variance(0)), 0.25, 1e-9);
  EXPECT_NEAR(std::exp(squares.log_variance(1)), 9.0, 1e-9);
  EXPECT_NEAR(squares.weight(1), 0.5 / 9, 1e-9);
  EXPECT_NEAR(std::exp(entropies.log_variance(0)), 4.0, 1e-9);
}

TEST(uncertainty_weighting, ignores_losses_that_are_no_numbers_and_stays_in_its_bounds) {
  uncertainty_weighting balance(2, {.bound = 1, .descent = {.learning_rate = 100}});
  balance.step(std::array{std::nan(""), 0.0});
  EXPECT_EQ(balance.log_variance(0), 0.0);
  EXPECT_EQ(balance.log_variance(1), -1.0);
  EXPECT_EQ(balance.weight(1), std::exp(1.0));
  balance.step(std::array{1e6, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(balance.log_variance(0), 1.0);
  EXPECT_EQ(balance.log_variance(1), -1.0);
}

TEST(uncertainty_weighting, refuses) {
  std::string const where = "distil::schedule::uncertainty_weighting";
  EXPECT_EQ(refusal_of([] { uncertainty_weighting(0); }), where + ": losses is 0; it must be at least 1");
  uncertainty_weighting balance(2);
  EXPECT_EQ(refusal_of([&] { balance.step(std::array{1.0}); }),
            where + ": number of losses is 1; it must be 2, as at the beginning");
  EXPECT_EQ(refusal_of([&] {
              balance.restore(std::array{learned_state{}, learned_state{11, 0}});
            }),
            where + "::restore: parameter is 11; it must be within [-bound, bound]");
  EXPECT_EQ(balance.save(), (std::vector<learned_state>(2)));
}

}  // namespace
}  // namespace distil::schedule
