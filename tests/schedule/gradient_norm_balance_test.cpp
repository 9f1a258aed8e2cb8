#include "distil/schedule/gradient_norm_balance.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

/// The price of the contract, its target held where the weights are.
double price(std::array<double, 2> const& weights, std::array<double, 2> const& held,
             std::array<double, 2> const& norms, std::array<double, 2> const& shares, double force) {
  double const mean_norm = (held[0] * norms[0] + held[1] * norms[1]) / 2,
               mean_share = (shares[0] + shares[1]) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    sum += std::abs(weights[i] * norms[i] - mean_norm * std::pow(shares[i] / mean_share, force));
  }
  return sum;
}

TEST(gradient_norm_balance, falls_along_the_slope_of_its_price) {
  gradient_norm_balance balance(2, {.restoring_force = 1.5, .descent = {.learning_rate = 0.01}},
                                std::array{2.0, 4.0});
  std::array<double, 2> const norms{3.0, 0.5}, losses{1.0, 3.0}, held{1.0, 1.0};
  auto const at = [&](double first, double second) {
    return price({first, second}, held, norms, {losses[0] / 2, losses[1] / 4}, 1.5);
  };
  constexpr double h = 1e-6;
  double const first = 1 - 0.01 * (at(1 + h, 1) - at(1 - h, 1)) / (2 * h);
  double const second = 1 - 0.01 * (at(1, 1 + h) - at(1, 1 - h)) / (2 * h);
  balance.step(losses, norms);
  EXPECT_NEAR(balance.weight(0), 2 * first / (first + second), 1e-9);
  EXPECT_NEAR(balance.weight(1), 2 * second / (first + second), 1e-9);
}

TEST(gradient_norm_balance, makes_norms_alike_without_a_force) {
  gradient_norm_balance balance(2, {.restoring_force = 0, .descent = {.learning_rate = 1e-3}});
  for (int step = 0; step < 5000; ++step) balance.step(std::array{1.0, 1.0}, std::array{3.0, 1.0});
  EXPECT_NEAR(balance.weight(0) * 3, balance.weight(1), 0.02);
  EXPECT_NEAR(balance.weight(0) + balance.weight(1), 2.0, 1e-12);
}

TEST(gradient_norm_balance, gives_more_to_the_loss_that_lags) {
  gradient_norm_balance balance(2, {.descent = {.learning_rate = 1e-3}});
  balance.step(std::array{1.0, 1.0}, std::array{1.0, 1.0});
  for (int step = 0; step < 2000; ++step) balance.step(std::array{0.9, 0.3}, std::array{1.0, 1.0});
  // The targets are as 3^1.5 to 1, but do not sum to what the norms do: the weights end between.
  EXPECT_GT(balance.weight(0) / balance.weight(1), 4.0);
  EXPECT_LT(balance.weight(0) / balance.weight(1), std::pow(3.0, 1.5));
}

TEST(gradient_norm_balance, leaves_steps_out_that_say_nothing) {
  gradient_norm_balance balance(2);
  gradient_norm_state const before = balance.save();
  balance.step(std::array{std::nan(""), 1.0}, std::array{1.0, 1.0});
  balance.step(std::array{0.0, 1.0}, std::array{1.0, 1.0});  // no rate could be had of a first loss of 0
  EXPECT_EQ(balance.save(), before);
  gradient_norm_balance floor(2, {.minimum = 0.1, .descent = {.learning_rate = 100}});
  floor.step(std::array{1.0, 1.0}, std::array{5.0, 1.0});
  EXPECT_NEAR(floor.weight(0), 2 * 0.1 / (0.1 + 101), 1e-12);
}

TEST(gradient_norm_balance, continues_from_its_state) {
  gradient_norm_options const options{.descent = {.learning_rate = 0.01, .momentum = 0.5}};
  gradient_norm_balance balance(2, options), resumed(2, options);
  EXPECT_EQ(gradient_norm_state_from(to_text(balance.save())), balance.save());
  for (int step = 0; step < 5; ++step) balance.step(std::array{1.0 / (step + 1), 1.0}, std::array{1.0, 0.7});
  resumed.restore(gradient_norm_state_from(to_text(balance.save())));
  balance.step(std::array{0.1, 1.0}, std::array{1.0, 0.7});
  resumed.step(std::array{0.1, 1.0}, std::array{1.0, 0.7});
  EXPECT_EQ(resumed.save(), balance.save());
}

TEST(gradient_norm_balance, refuses) {
  std::string const where = "distil::schedule::gradient_norm_balance";
  EXPECT_EQ(refusal_of([] { gradient_norm_balance(1); }), where + ": losses is 1; it must be at least 2");
  EXPECT_EQ(refusal_of([] {
              gradient_norm_balance(2, {}, std::array{1.0, 0.0});
            }),
            where + ": first loss is 0; it must be a finite number above 0");
  gradient_norm_balance balance(2);
  EXPECT_EQ(refusal_of([&] {
              balance.step(std::array{1.0}, std::array{1.0, 1.0});
            }),
            where + ": number of losses is 1; it must be 2, as at the beginning");
  EXPECT_EQ(refusal_of([&] {
              balance.restore({{1.0}, {0.0}, {}});
            }),
            where + "::restore: number of weights is 1; it must be 2, as there are losses");
  EXPECT_NE(refusal_of([] { gradient_norm_state_from("weights=1,2 velocities=0,0"); }), "");
}

}  // namespace
}  // namespace distil::schedule
