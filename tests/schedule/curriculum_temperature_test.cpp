#include "distil/schedule/curriculum_temperature.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/batches.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/presets.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(curriculum_temperature, is_start_plus_a_share_of_the_range) {
  curriculum_temperature const paper;
  EXPECT_DOUBLE_EQ(paper.value(), 1 + 20 / (1 + std::exp(-1.0)));
  EXPECT_EQ(paper(0.3), paper.value());
  EXPECT_EQ(paper.at(7), paper.value());
  EXPECT_DOUBLE_EQ(curriculum_temperature({.start = 2, .range = 6}, 0).value(), 5);
  EXPECT_EQ(curriculum_temperature({}, -2000).value(), 1);
  EXPECT_EQ(curriculum_temperature({}, 2000).value(), 21);
}

TEST(curriculum_temperature, has_the_reversed_gradient_of_the_loss) {
  testing::batch<double> b(9, 12);
  std::vector<double> by_temperature(1);
  for (double const theta : {-3.0, 0.0, 1.0, 4.0}) {
    curriculum_temperature const temperature({}, theta);
    (void)forward_kl(b.student.view(), b.teacher.view(),
                     {.temperature = temperature.value(), .temperature_gradient = by_temperature});
    auto const loss = [&](long double at) {
      curriculum_temperature const moved({}, static_cast<double>(at));
      return static_cast<long double>(
          forward_kl(b.student.view(), b.teacher.view(), {.temperature = moved.value()}).value);
    };
    auto const difference = static_cast<double>(loss(theta + 1e-4) - loss(theta - 1e-4)) / 2e-4;
    EXPECT_NEAR(temperature.gradient(by_temperature[0]), -difference, 1e-7) << theta;
    EXPECT_DOUBLE_EQ(temperature.gradient(by_temperature[0], 0.25),
                     temperature.gradient(by_temperature[0]) / 4);
  }
}

TEST(curriculum_temperature, climbs_the_loss_as_strongly_as_the_curriculum_says) {
  auto const strength = presets::ctkd_curriculum();
  curriculum_temperature temperature;
  EXPECT_EQ(temperature.step(-3.0, strength.at(0)), curriculum_temperature().value());  // epoch 0: nothing
  double const lower = temperature.step(-0.5, strength.at(5));
  EXPECT_LT(lower, curriculum_temperature().value());  // the loss falls with T, so T falls
  EXPECT_GT(temperature.step(0.5, strength.at(10)), lower);
  curriculum_temperature plain({.descent = {.learning_rate = 0.1}});
  double const expected = 1 + 0.1 * 0.5 * curriculum_temperature().gradient(-2.0);
  plain.step(2.0, 0.5);
  EXPECT_NEAR(plain.theta(), expected, 1e-15);
}

TEST(curriculum_temperature, takes_a_parameter_for_every_sample) {
  curriculum_temperature const temperature({.start = 1, .range = 10});
  std::vector<double> const thetas = {-800, -1, 0, 2.5, 800}, slopes = {1, -2, 0.5, 3, 4};
  std::vector<double> temperatures(5), gradients = slopes;
  temperature.temperatures(thetas, temperatures);
  temperature.gradients(thetas, gradients, 0.5, gradients);  // in place
  for (std::size_t i = 0; i < 5; ++i) {
    curriculum_temperature const one({.start = 1, .range = 10}, thetas[i]);
    EXPECT_EQ(temperatures[i], one.value());
    EXPECT_EQ(gradients[i], one.gradient(slopes[i], 0.5));
    EXPECT_TRUE(std::isfinite(gradients[i]));
  }
}

TEST(curriculum_temperature, continues_where_it_was_saved) {
  curriculum_temperature_options const options{.descent = {.learning_rate = 0.1, .momentum = 0.9}};
  curriculum_temperature straight(options);
  for (int i = 0; i < 3; ++i) straight.step(0.1 * i - 0.3);
  curriculum_temperature resumed(options);
  resumed.restore(learned_state_from(to_text(straight.save())));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(resumed.step(0.2), straight.step(0.2));
  EXPECT_EQ(resumed.save(), straight.save());
  EXPECT_NE(resumed.save().velocity, 0);
}

TEST(curriculum_temperature, is_not_moved_by_what_is_not_finite) {
  curriculum_temperature temperature;
  learned_state const before = temperature.save();
  for (double const bad : {std::nan(""), std::numeric_limits<double>::infinity()}) temperature.step(bad);
  EXPECT_EQ(temperature.save(), before);
}

TEST(curriculum_temperature, refuses_what_has_no_meaning) {
  std::string const where = "distil::schedule::curriculum_temperature: ";
  double const nan = std::nan("");
  EXPECT_EQ(refusal_of([] { curriculum_temperature({.start = 0}); }),
            where + "start is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { curriculum_temperature({.range = -1}); }),
            where + "range is -1; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([&] { curriculum_temperature({}, nan); }),
            where + "theta is nan; it must be a finite number");
  EXPECT_EQ(refusal_of([] { curriculum_temperature({.descent = {.learning_rate = 0}}); }),
            where + "descent.learning_rate is 0; it must be a finite number above 0");
  EXPECT_EQ(refusal_of([] { curriculum_temperature({.descent = {.momentum = 1}}); }),
            where + "descent.momentum is 1; it must be within [0, 1)");
  std::vector<double> two(2), three(3);
  EXPECT_EQ(refusal_of([&] { curriculum_temperature().temperatures(two, three); }),
            where + "temperatures is of size 3; it must be one for each theta, 2");
  EXPECT_EQ(refusal_of([&] { curriculum_temperature().gradients(two, three, 1, two); }),
            where + "by_temperature is of size 3; it must be one for each theta, 2");
  EXPECT_EQ(refusal_of([&] { curriculum_temperature().gradients(two, two, 1, three); }),
            where + "gradients is of size 3; it must be one for each theta, 2");
  curriculum_temperature temperature;
  learned_state const before = temperature.save();
  EXPECT_EQ(
      refusal_of([&] { temperature.restore({.parameter = nan}); }),
      "distil::schedule::curriculum_temperature::restore: parameter is nan; it must be a finite number");
  EXPECT_EQ(temperature.save(), before);
}

}  // namespace
}  // namespace distil::schedule
