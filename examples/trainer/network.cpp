#include "network.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "dense.hpp"
#include "relu.hpp"

namespace trainer {

network::network(std::vector<std::unique_ptr<layer const>> layers, random_numbers& random)
    : layers_(std::move(layers)) {
  if (layers_.empty()) throw std::invalid_argument("trainer::network: there are no layers");
  for (std::size_t at = 1; at < layers_.size(); ++at) {
    if (layers_[at]->inputs() != layers_[at - 1]->outputs()) {
      throw std::invalid_argument("trainer::network: layer " + std::to_string(at) + " takes " +
                                  std::to_string(layers_[at]->inputs()) + " inputs; the layer before gives " +
                                  std::to_string(layers_[at - 1]->outputs()));
    }
  }
  starts_.push_back(0);
  for (auto const& each : layers_) starts_.push_back(starts_.back() + each->parameter_count());
  parameters_.resize(starts_.back());
  gradients_.resize(starts_.back());
  for (std::size_t at = 0; at < layers_.size(); ++at) {
    auto const own = std::span(parameters_).subspan(starts_[at], layers_[at]->parameter_count());
    layers_[at]->initialize(own, random);
  }
  outputs_.resize(layers_.size());
  output_gradients_.resize(layers_.size() - 1);
}

matrix const& network::forward(matrix const& inputs) {
  inputs_ = &inputs;
  matrix const* input = &inputs;
  for (std::size_t at = 0; at < layers_.size(); ++at) {
    layers_[at]->forward(parameters_of(at), *input, outputs_[at]);
    input = &outputs_[at];
  }
  return outputs_.back();
}

std::span<float const> network::backward(matrix const& logits_gradient) {
  return backward(logits_gradient, {});
}

std::span<float const> network::backward(matrix const& logits_gradient,
                                         std::span<feature_gradient const> of_features) {
  matrix const* gradient = &logits_gradient;
  for (std::size_t at = layers_.size(); at-- > 0;) {
    for (feature_gradient const& each : of_features) {
      if (each.layer == at && at + 1 < layers_.size()) output_gradients_[at] += *each.gradient;
    }
    matrix const& input = at > 0 ? outputs_[at - 1] : *inputs_;
    matrix* const input_gradient = at > 0 ? &output_gradients_[at - 1] : nullptr;
    auto const own = std::span(gradients_).subspan(starts_[at], layers_[at]->parameter_count());
    layers_[at]->backward(parameters_of(at), input, *gradient, own, input_gradient);
    gradient = input_gradient;
  }
  return gradients_;
}

matrix network::predict(matrix const& inputs) const {
  constexpr Eigen::Index block_rows = 512;
  matrix logits(inputs.rows(), layers_.back()->outputs());
  matrix input;
  matrix output;
  for (Eigen::Index first = 0; first < inputs.rows(); first += block_rows) {
    Eigen::Index const rows = std::min(block_rows, inputs.rows() - first);
    input = inputs.middleRows(first, rows);
    for (std::size_t at = 0; at < layers_.size(); ++at) {
      layers_[at]->forward(parameters_of(at), input, output);
      std::swap(input, output);
    }
    logits.middleRows(first, rows) = input;
  }
  return logits;
}

std::span<float const> network::parameters_of(std::size_t layer) const {
  return std::span(parameters_).subspan(starts_[layer], starts_[layer + 1] - starts_[layer]);
}

network multilayer_perceptron(std::vector<Eigen::Index> const& widths, random_numbers& random) {
  std::vector<std::unique_ptr<layer const>> layers;
  for (std::size_t at = 1; at < widths.size(); ++at) {
    if (at > 1) layers.push_back(std::make_unique<relu>(widths[at - 1]));
    layers.push_back(std::make_unique<dense>(widths[at - 1], widths[at]));
  }
  return network(std::move(layers), random);
}

}  // namespace trainer
