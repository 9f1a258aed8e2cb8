#include "distil/schedule/learnable_temperature.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/batches.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/schedule/arithmetic.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

constexpr temperature_map maps[] = {temperature_map::exponential, temperature_map::softplus};

TEST(learnable_temperature, begins_where_it_is_told) {
  for (temperature_map const map : maps) {
    for (double const start : {0.01, 0.5, 1.0, 4.0, 50.0, 900.0}) {
      learnable_temperature const temperature(start, {.map = map, .minimum = 0.01, .maximum = 900});
      EXPECT_NEAR(temperature.value(), start, 1e-14 * start);
      EXPECT_EQ(temperature(0.5), temperature.value());
      EXPECT_EQ(temperature.at(3), temperature.value());
    }
  }
}

/// What the paper's formula says of the sum of loss and regularizer, by differences.
TEST(learnable_temperature, has_the_gradient_of_loss_and_regularizer) {
  testing::batch<double> b(9, 12);
  std::vector<double> by_temperature(1);
  for (temperature_map const map : maps) {
    for (double const start : {0.7, 2.0, 9.0}) {
      learnable_temperature_options const options{.map = map, .optimum = 3, .regularizer_weight = 0.2};
      learnable_temperature const temperature(start, options);
      (void)forward_kl(b.student.view(), b.teacher.view(),
                       {.temperature = temperature.value(), .temperature_gradient = by_temperature});
      auto const total = [&](double theta) {
        double const T =
            map == temperature_map::exponential ? std::exp(theta) : std::log(1 + std::exp(theta));
        return forward_kl(b.student.view(), b.teacher.view(), {.temperature = T}).value +
               0.2 * (T - 3) * (T - 3);
      };
      double const theta = temperature.theta();
      double const difference = (total(theta + 1e-4) - total(theta - 1e-4)) / 2e-4;
      EXPECT_NEAR(temperature.gradient(by_temperature[0]), difference, 1e-6 * (1 + std::abs(difference)));
      EXPECT_NEAR(temperature.regularizer(), 0.2 * (start - 3) * (start - 3), 1e-13);
      EXPECT_NEAR(temperature.regularizer_by_temperature(), 0.4 * (start - 3), 1e-14);
    }
  }
}

TEST(learnable_temperature, is_pulled_to_its_optimum) {
  for (temperature_map const map : maps) {
    learnable_temperature temperature(8, {.map = map, .optimum = 3, .regularizer_weight = 0.5});
    for (int i = 0; i < 400; ++i) temperature.step(0);
    EXPECT_NEAR(temperature.value(), 3, 1e-6);
    EXPECT_NEAR(temperature.regularizer(), 0, 1e-12);
  }
}

TEST(learnable_temperature, stops_at_its_bounds_and_comes_back) {
  for (temperature_map const map : maps) {
    learnable_temperature temperature(2,
                                      {.map = map, .minimum = 1, .maximum = 6, .descent = {.momentum = 0.9}});
    for (int i = 0; i < 500; ++i) EXPECT_LE(temperature.step(-3), 6);
    EXPECT_NEAR(temperature.value(), 6, 1e-14);
    EXPECT_EQ(temperature.save().velocity, 0);
    EXPECT_LT(temperature.step(1), 6);
    for (int i = 0; i < 500; ++i) EXPECT_GE(temperature.step(3), 1);
    EXPECT_NEAR(temperature.value(), 1, 1e-15);
    EXPECT_GT(temperature.step(-1), 1);
  }
}

TEST(learnable_temperature, steps_like_descent_with_momentum) {
  learnable_temperature temperature(2, {.descent = {.learning_rate = 0.01, .momentum = 0.5}});
  double const first = temperature.gradient(0.7), start = temperature.theta();
  temperature.step(0.7);
  EXPECT_NEAR(temperature.theta(), start - 0.01 * first, 1e-15);
  double const second = temperature.gradient(-0.1), between = temperature.theta();
  temperature.step(-0.1);
  EXPECT_NEAR(temperature.theta(), between - 0.01 * (0.5 * first + second), 1e-15);
}

TEST(learnable_temperature, continues_where_it_was_saved) {
  learnable_temperature_options const options{.regularizer_weight = 0.1, .descent = {.momentum = 0.9}};
  learnable_temperature straight(4, options), resumed(1, options);
  for (int i = 0; i < 3; ++i) straight.step(0.1 * i - 0.3);
  resumed.restore(learned_state_from(to_text(straight.save())));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(resumed.step(0.2), straight.step(0.2));
  EXPECT_EQ(resumed.save(), straight.save());
}

TEST(learnable_temperature, is_not_moved_by_what_is_not_finite) {
  learnable_temperature temperature;
  learned_state const before = temperature.save();
  for (double const bad : {std::nan(""), std::numeric_limits<double>::infinity()}) temperature.step(bad);
  EXPECT_EQ(temperature.save(), before);
}

TEST(learnable_temperature, is_a_schedule_like_any_other) {
  learnable_temperature temperature(2);
  auto const doubled = 2 * std::cref(temperature);
  temperature.step(-1);
  EXPECT_EQ(doubled(0.5), 2 * temperature.value());
}

TEST(learnable_temperature, refuses_what_has_no_meaning) {
  std::string const where = "distil::schedule::learnable_temperature: ";
  EXPECT_EQ(refusal_of([] { learnable_temperature(30); }),
            where + "start is 30; it must be within [minimum, maximum]");
  EXPECT_EQ(refusal_of([] { learnable_temperature(4, {.optimum = 0.1}); }),
            where + "optimum is 0.1; it must be within [minimum, maximum]");
  EXPECT_EQ(refusal_of([] { learnable_temperature(4, {.minimum = 0}); }),
            where + "minimum is 0; it must be a finite number above 0");
  EXPECT_EQ(
      refusal_of([] { learnable_temperature(4, {.maximum = std::numeric_limits<double>::infinity()}); }),
      where + "maximum is inf; it must be a finite number");
  EXPECT_EQ(refusal_of([] { learnable_temperature(4, {.regularizer_weight = -1}); }),
            where + "regularizer_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([] { learnable_temperature(4, {.descent = {.learning_rate = -1}}); }),
            where + "descent.learning_rate is -1; it must be a finite number above 0");
  learnable_temperature temperature;
  learned_state const before = temperature.save();
  EXPECT_EQ(refusal_of([&] { temperature.restore({.parameter = 9}); }),
            "distil::schedule::learnable_temperature::restore: parameter is 9; it must be that of a "
            "temperature within "
            "[minimum, maximum]");
  EXPECT_EQ(refusal_of([&] { temperature.restore({.velocity = std::nan("")}); }),
            "distil::schedule::learnable_temperature::restore: velocity is nan; it must be a finite number");
  EXPECT_EQ(temperature.save(), before);
}

}  // namespace
}  // namespace distil::schedule
