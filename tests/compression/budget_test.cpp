#include "distil/compression/budget.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;
constexpr double h = 1e-6;

TEST(expected_cost, is_the_mean_under_the_choice_with_its_gradient) {
  numbers a{0.3, -1, 2}, gradient(3);
  numbers const costs{5, 1, 3};
  double sum = 0, mean = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    sum += std::exp(a[i]);
    mean += std::exp(a[i]) * costs[i];
  }
  EXPECT_NEAR(expected_cost(a, costs, gradient), mean / sum, 1e-15);
  for (std::size_t i = 0; i < 3; ++i) {
    double const before = a[i];
    a[i] = before + h;
    double const above = expected_cost(a, costs);
    a[i] = before - h;
    double const below = expected_cost(a, costs);
    a[i] = before;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-8);
  }
  EXPECT_EQ(expected_cost(numbers{1e4, -1e4}, numbers{2, 7}), 2.0);
  EXPECT_EQ(refusal_of([&] { (void)expected_cost(a, numbers{1}); }),
            "distil::expected_cost: number of costs is 1; it must be 3, as there are parameters");
  EXPECT_EQ(refusal_of([&] { (void)expected_cost(numbers{1}, numbers{-1}); }),
            "distil::expected_cost: cost is -1; it must be finite and >= 0");
}

TEST(cost_table, is_straight_between_what_was_measured) {
  cost_table const table({{8, 1}, {16, 3}, {32, 4}});
  EXPECT_EQ(table.at(12).cost, 2.0);
  EXPECT_EQ(table.at(12).slope, 0.25);
  EXPECT_EQ(table.at(16).cost, 3.0);
  EXPECT_EQ(table.at(16).slope, 1.0 / 16);
  EXPECT_EQ(table.at(1).cost, 1.0);
  EXPECT_EQ(table.at(99).cost, 4.0);
  EXPECT_EQ(table.at(99).slope, 0.0);
  EXPECT_TRUE(std::isnan(table.at(std::nan("")).cost));
  EXPECT_EQ(refusal_of([] {
              cost_table({{8, 1}, {8, 2}});
            }),
            "distil::cost_table: size is 8; it must be finite and above the one before");
}

TEST(budget_loss, has_the_slope_of_its_value) {
  for (auto const form : {budget_form::excess, budget_form::power_law, budget_form::logarithm}) {
    for (double const power : {1.0, 2.0, 3.5}) {
      budget_options const options{.budget = 2, .form = form, .power = power, .weight = 0.7};
      for (double const cost : {2.5, 7.0}) {
        double const slope =
            (budget_loss(cost + h, options).value - budget_loss(cost - h, options).value) / (2 * h);
        EXPECT_NEAR(budget_loss(cost, options).slope, slope, 1e-6 * std::abs(slope));
      }
      EXPECT_EQ(budget_loss(1.5, options).value == 0.0, form != budget_form::power_law);
    }
  }
  EXPECT_NEAR(budget_loss(3, {.budget = 2}).value, 0.25, 1e-15);
  EXPECT_NEAR(budget_loss(3, {.budget = 2, .form = budget_form::power_law}).value, 2.25, 1e-15);
  EXPECT_NEAR(budget_loss(2 * std::exp(1.0), {.budget = 2, .form = budget_form::logarithm}).value, 1.0,
              1e-15);
}

TEST(budget_loss, refuses_and_passes_what_is_no_cost) {
  EXPECT_TRUE(std::isnan(budget_loss(-1, {}).value));
  EXPECT_TRUE(std::isnan(budget_loss(std::numeric_limits<double>::infinity(), {}).slope));
  EXPECT_EQ(refusal_of([] { (void)budget_loss(1, {.budget = 0}); }),
            "distil::budget_loss: budget is 0; it must be finite and > 0");
  EXPECT_EQ(refusal_of([] { (void)budget_loss(1, {.power = 0.5}); }),
            "distil::budget_loss: power is 0.5; it must be finite and >= 1");
}

}  // namespace
}  // namespace distil
