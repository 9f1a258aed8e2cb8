#include "convolution.hpp"

#include <algorithm>
#include <cmath>

namespace trainer {
namespace {

/// Calls `visit(pixel, neighbour, place)` for every pixel and each of its neighbours within the image, by their number, and
/// the neighbour's place among nine.
template <class Visit>
void for_each_neighbour(image_shape const& image, Visit const& visit) {
  for (Eigen::Index y = 0; y < image.height; ++y) {
    for (Eigen::Index x = 0; x < image.width; ++x) {
      for (Eigen::Index place = 0; place < 9; ++place) {
        Eigen::Index const row = y + place / 3 - 1;
        Eigen::Index const column = x + place % 3 - 1;
        if (row < 0 || row >= image.height || column < 0 || column >= image.width) continue;
        visit(y * image.width + x, row * image.width + column, place);
      }
    }
  }
}

}  // namespace

void convolution::initialize(std::span<float> parameters, random_numbers& random) const {
  double const limit = std::sqrt(6.0 / static_cast<double>(9 * input_.channels));
  auto const weights = parameters.first(static_cast<std::size_t>(9 * input_.channels * channels_));
  auto const bias = parameters.subspan(weights.size());
  for (float& weight : weights) weight = static_cast<float>(limit * (2.0 * random.uniform() - 1.0));
  std::fill(bias.begin(), bias.end(), 0.0F);
}

void convolution::gather(float const* image, matrix& neighbours) const {
  neighbours.setZero(input_.pixels(), 9 * input_.channels);
  for_each_neighbour(input_, [&](Eigen::Index pixel, Eigen::Index neighbour, Eigen::Index place) {
    std::copy_n(image + neighbour * input_.channels, input_.channels,
                &neighbours(pixel, place * input_.channels));
  });
}

void convolution::scatter(matrix const& neighbours, float* image) const {
  std::fill_n(image, input_.size(), 0.0F);
  for_each_neighbour(input_, [&](Eigen::Index pixel, Eigen::Index neighbour, Eigen::Index place) {
    float const* const from = &neighbours(pixel, place * input_.channels);
    float* const to = image + neighbour * input_.channels;
    for (Eigen::Index channel = 0; channel < input_.channels; ++channel) to[channel] += from[channel];
  });
}

void convolution::forward(std::span<float const> parameters, matrix const& input, matrix& output) const {
  Eigen::Map<matrix const> const weights(parameters.data(), 9 * input_.channels, channels_);
  Eigen::Map<Eigen::RowVectorXf const> const bias(parameters.data() + weights.size(), channels_);
  output.resize(input.rows(), outputs());
  matrix neighbours;
  for (Eigen::Index row = 0; row < input.rows(); ++row) {
    gather(&input(row, 0), neighbours);
    Eigen::Map<matrix> image(&output(row, 0), input_.pixels(), channels_);
    image.noalias() = neighbours * weights;
    image.rowwise() += bias;
  }
}

void convolution::backward(std::span<float const> parameters, matrix const& input,
                           matrix const& output_gradient, std::span<float> parameter_gradient,
                           matrix* input_gradient) const {
  Eigen::Map<matrix const> const weights(parameters.data(), 9 * input_.channels, channels_);
  Eigen::Map<matrix> weight_gradient(parameter_gradient.data(), 9 * input_.channels, channels_);
  Eigen::Map<Eigen::RowVectorXf> bias_gradient(parameter_gradient.data() + weight_gradient.size(), channels_);
  weight_gradient.setZero();
  bias_gradient.setZero();
  if (input_gradient != nullptr) input_gradient->resize(input.rows(), inputs());
  matrix neighbours;
  for (Eigen::Index row = 0; row < input.rows(); ++row) {
    Eigen::Map<matrix const> const image_gradient(&output_gradient(row, 0), input_.pixels(), channels_);
    gather(&input(row, 0), neighbours);
    weight_gradient.noalias() += neighbours.transpose() * image_gradient;
    bias_gradient += image_gradient.colwise().sum();
    if (input_gradient == nullptr) continue;
    neighbours.noalias() = image_gradient * weights.transpose();
    scatter(neighbours, &(*input_gradient)(row, 0));
  }
}

}  // namespace trainer
