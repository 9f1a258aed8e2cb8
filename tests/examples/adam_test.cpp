#include "trainer/adam.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace {

TEST(adam, follows_the_published_steps) {
  // By hand from algorithm 1 with rate 0.1: g = 0.5, then g = -0.25.
  // step 1: m = 0.05, v = 0.00025, both corrected to g and g^2: x = 1 - 0.1 * 0.5 / 0.5 = 0.9
  // step 2: m = 0.045 - 0.025 = 0.02, / 0.19 = 0.105263; v = 0.00031225, / 0.001999 = 0.156203
  //         x = 0.9 - 0.1 * 0.105263 / 0.395225 = 0.873366
  std::array<float, 1> parameter{1.0F};
  trainer::adam optimizer(parameter, {.learning_rate = 0.1});
  optimizer.step(std::array{0.5F});
  EXPECT_NEAR(parameter[0], 0.9F, 1e-5F);
  optimizer.step(std::array{-0.25F});
  EXPECT_NEAR(parameter[0], 0.873366F, 1e-5F);
}

TEST(adam, steps_every_parameter_by_itself) {
  std::vector<float> parameters(5000, 0.0F);
  std::vector<float> gradients(parameters.size());
  for (std::size_t at = 0; at < gradients.size(); ++at) gradients[at] = at % 3 == 0 ? 2.0F : -0.001F;
  trainer::adam optimizer(parameters, {.learning_rate = 0.01});
  optimizer.step(gradients);
  // The first step is the rate against the sign, whatever the size of the gradient.
  for (std::size_t at = 0; at < gradients.size(); ++at) {
    EXPECT_NEAR(parameters[at], at % 3 == 0 ? -0.01F : 0.01F, 1e-5F) << at;
  }
}

TEST(adam, scales_the_step_by_the_share) {
  std::array<float, 1> parameter{0.0F};
  trainer::adam optimizer(parameter, {.learning_rate = 0.1});
  optimizer.step(std::array{1.0F}, 0.25);
  EXPECT_NEAR(parameter[0], -0.025F, 1e-6F);
}

TEST(adam, refuses_a_wrong_number_of_gradients) {
  std::array<float, 2> parameters{};
  trainer::adam optimizer(parameters);
  EXPECT_THROW(optimizer.step(std::array{1.0F}), std::invalid_argument);
}

}  // namespace
