#include "trainer/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "trainer/dense.hpp"

namespace {

using trainer::matrix;

matrix uniform_matrix(Eigen::Index rows, Eigen::Index columns, trainer::random_numbers& random) {
  matrix values(rows, columns);
  for (float& value : values.reshaped()) value = static_cast<float>(2 * random.uniform() - 1);
  return values;
}

/// L = sum of weights * logits, so that dL/d(logits) = weights.
double weighted_sum(matrix const& logits, matrix const& weights) {
  return logits.cast<double>().cwiseProduct(weights.cast<double>()).sum();
}

TEST(network, gradient_agrees_with_central_differences) {
  trainer::random_numbers random(3);
  trainer::network network = trainer::multilayer_perceptron({5, 7, 6, 3}, random);
  matrix const inputs = uniform_matrix(4, 5, random);
  matrix const weights = uniform_matrix(4, 3, random);
  network.forward(inputs);
  auto const gradients = network.backward(weights);
  ASSERT_EQ(gradients.size(), network.parameters().size());

  constexpr float step = 1e-3F;
  for (std::size_t at = 0; at < gradients.size(); ++at) {
    float& parameter = network.parameters()[at];
    float const before = parameter;
    parameter = before + step;
    double const above = weighted_sum(network.predict(inputs), weights);
    parameter = before - step;
    double const below = weighted_sum(network.predict(inputs), weights);
    parameter = before;
    EXPECT_NEAR(double{gradients[at]}, (above - below) / (2.0 * double{step}), 2e-3) << "parameter " << at;
  }
}

TEST(network, backward_overwrites_what_an_earlier_batch_left) {
  trainer::random_numbers random(4);
  trainer::network network = trainer::multilayer_perceptron({3, 4, 2}, random);
  matrix const inputs = uniform_matrix(6, 3, random);
  matrix const weights = uniform_matrix(6, 2, random);
  network.forward(inputs);
  auto const first = network.backward(weights);
  std::vector<float> const expected(first.begin(), first.end());

  matrix const others = uniform_matrix(9, 3, random);
  network.forward(others);
  network.backward(uniform_matrix(9, 2, random));
  network.forward(inputs);
  auto const again = network.backward(weights);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), expected.begin()));
}

TEST(network, predict_equals_forward_beyond_one_block) {
  trainer::random_numbers random(5);
  trainer::network network = trainer::multilayer_perceptron({4, 3, 2}, random);
  matrix const inputs = uniform_matrix(1100, 4, random);
  EXPECT_LT((network.predict(inputs) - network.forward(inputs)).cwiseAbs().maxCoeff(), 1e-6F);
}

TEST(network, counts_weights_and_biases) {
  trainer::random_numbers random(6);
  EXPECT_EQ(trainer::multilayer_perceptron({784, 64, 10}, random).parameter_count(),
            (784U + 1U) * 64U + (64U + 1U) * 10U);
}

TEST(network, starts_with_weights_of_the_variance_of_he) {
  trainer::random_numbers random(7);
  trainer::network network = trainer::multilayer_perceptron({400, 300}, random);
  auto const weights = network.parameters().first(400 * 300);
  double squares = 0;
  for (float const weight : weights) squares += double{weight} * double{weight};
  EXPECT_NEAR(squares / static_cast<double>(weights.size()), 2.0 / 400, 0.02 * 2.0 / 400);
  for (float const bias : network.parameters().last(300)) EXPECT_EQ(bias, 0.0F);
}

TEST(network, refuses_no_layers_and_layers_that_do_not_fit) {
  trainer::random_numbers random(8);
  EXPECT_THROW(trainer::network({}, random), std::invalid_argument);
  std::vector<std::unique_ptr<trainer::layer const>> layers;
  layers.push_back(std::make_unique<trainer::dense>(4, 3));
  layers.push_back(std::make_unique<trainer::dense>(2, 1));
  EXPECT_THROW(trainer::network(std::move(layers), random), std::invalid_argument);
}

}  // namespace
