#include "dense.hpp"

#include <algorithm>
#include <cmath>

namespace trainer {

void dense::initialize(std::span<float> parameters, random_numbers& random) const {
  double const limit = std::sqrt(6.0 / static_cast<double>(inputs_));
  auto const weights = parameters.first(static_cast<std::size_t>(inputs_ * outputs_));
  auto const bias = parameters.subspan(weights.size());
  for (float& weight : weights) weight = static_cast<float>(limit * (2.0 * random.uniform() - 1.0));
  std::fill(bias.begin(), bias.end(), 0.0F);
}

void dense::forward(std::span<float const> parameters, matrix const& input, matrix& output) const {
  Eigen::Map<matrix const> const weights(parameters.data(), inputs_, outputs_);
  Eigen::Map<Eigen::RowVectorXf const> const bias(parameters.data() + weights.size(), outputs_);
  output.noalias() = input * weights;
  output.rowwise() += bias;
}

void dense::backward(std::span<float const> parameters, matrix const& input, matrix const& output_gradient,
                     std::span<float> parameter_gradient, matrix* input_gradient) const {
  Eigen::Map<matrix> weight_gradient(parameter_gradient.data(), inputs_, outputs_);
  Eigen::Map<Eigen::RowVectorXf> bias_gradient(parameter_gradient.data() + weight_gradient.size(), outputs_);
  weight_gradient.noalias() = input.transpose() * output_gradient;
  bias_gradient = output_gradient.colwise().sum();
  if (input_gradient != nullptr) {
    Eigen::Map<matrix const> const weights(parameters.data(), inputs_, outputs_);
    input_gradient->noalias() = output_gradient * weights.transpose();
  }
}

}  // namespace trainer
