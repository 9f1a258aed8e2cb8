#include "trainer/convolution.hpp"

#include <gtest/gtest.h>

#include "trainer/dense.hpp"
#include "trainer/network.hpp"
#include "trainer/pooling.hpp"

namespace {

using trainer::matrix;

matrix uniform_matrix(Eigen::Index rows, Eigen::Index columns, trainer::random_numbers& random) {
  matrix values(rows, columns);
  for (float& value : values.reshaped()) value = static_cast<float>(2 * random.uniform() - 1);
  return values;
}

TEST(convolution, sums_the_neighbours) {
  trainer::convolution const sum({3, 4, 1}, 1);
  std::vector<float> parameters(10, 1.0F);
  parameters.back() = 0.5F;
  matrix image(1, 12), output;
  image << 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
  sum.forward(parameters, image, output);
  EXPECT_EQ(output(0, 0), 1 + 2 + 5 + 6 + 0.5F);
  EXPECT_EQ(output(0, 5), 1 + 2 + 3 + 5 + 6 + 7 + 9 + 10 + 11 + 0.5F);
}

TEST(convolution, takes_neighbours_by_their_place) {
  trainer::convolution const right({2, 2, 1}, 1);
  std::vector<float> parameters(10, 0.0F);
  parameters[5] = 1.0F;  // in the middle row, the last
  matrix image(1, 4), output;
  image << 1, 2, 3, 4;
  right.forward(parameters, image, output);
  EXPECT_EQ(output(0, 0), 2.0F);
  EXPECT_EQ(output(0, 1), 0.0F);
  EXPECT_EQ(output(0, 2), 4.0F);
}

// Also of gradients that come to features: L = sum of weights * logits + sum of others * features.
TEST(convolution, gradient_agrees_with_central_differences) {
  trainer::random_numbers random(3);
  std::vector<std::unique_ptr<trainer::layer const>> layers;
  layers.push_back(std::make_unique<trainer::convolution>(trainer::image_shape{4, 6, 2}, 3));
  layers.push_back(std::make_unique<trainer::average_pooling>(trainer::image_shape{4, 6, 3}));
  layers.push_back(std::make_unique<trainer::convolution>(trainer::image_shape{2, 3, 3}, 2));
  layers.push_back(std::make_unique<trainer::dense>(12, 3));
  trainer::network network(std::move(layers), random);
  matrix const inputs = uniform_matrix(4, 48, random), weights = uniform_matrix(4, 3, random),
               others = uniform_matrix(4, 18, random);
  auto const loss = [&] {
    matrix const& logits = network.forward(inputs);
    return logits.cast<double>().cwiseProduct(weights.cast<double>()).sum() +
           network.output(1).cast<double>().cwiseProduct(others.cast<double>()).sum();
  };
  (void)loss();
  trainer::feature_gradient const of_features[] = {{1, &others}};
  auto const slopes = network.backward(weights, of_features);
  std::vector<float> const gradients(slopes.begin(), slopes.end());
  constexpr float step = 1e-2F;  // the loss is linear in each parameter
  for (std::size_t at = 0; at < gradients.size(); ++at) {
    float& parameter = network.parameters()[at];
    float const before = parameter;
    parameter = before + step;
    double const above = loss();
    parameter = before - step;
    double const below = loss();
    parameter = before;
    EXPECT_NEAR(double{gradients[at]}, (above - below) / (2.0 * double{step}), 2e-3) << "parameter " << at;
  }
}

TEST(average_pooling, takes_the_mean) {
  trainer::average_pooling const pool({2, 4, 1});
  matrix image(1, 8), output;
  image << 1, 2, 3, 4, 5, 6, 7, 8;
  pool.forward({}, image, output);
  ASSERT_EQ(output.cols(), 2);
  EXPECT_EQ(output(0, 0), 3.5F);
  EXPECT_EQ(output(0, 1), 5.5F);
}

}  // namespace
