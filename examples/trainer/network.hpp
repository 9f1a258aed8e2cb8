#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "layer.hpp"

namespace trainer {

/// A gradient that comes to a layer's output from elsewhere than the layers behind it: from a loss of its features.
struct feature_gradient {
  std::size_t layer;
  matrix const* gradient;  ///< of the shape of the layer's output
};

/// Layers in a row, their parameters in one piece, and an explicit backward pass.
///
///     matrix const& logits = network.forward(inputs);
///     loss.with_grad(logits, ..., gradient);
///     optimizer.step(network.backward(gradient));
///
/// Movable; a moved network keeps its parameters where they are, so optimisers that point at them stay valid.
class network {
 public:
  /// Parameters start as each layer initialises them, in order.
  /// @throws std::invalid_argument for no layers, or for neighbours whose widths differ.
  network(std::vector<std::unique_ptr<layer const>> layers, random_numbers& random);

  [[nodiscard]] std::span<float> parameters() { return parameters_; }
  [[nodiscard]] std::size_t parameter_count() const { return starts_.back(); }

  /// Logits [rows x outputs], kept with all activations until the next call.
  /// `inputs` must outlive the `backward` that follows, which reads it again.
  matrix const& forward(matrix const& inputs);

  /// From dL/d(logits) of the last `forward`: dL/d(parameters), in the order of `parameters()`, valid until
  /// the next call.
  std::span<float const> backward(matrix const& logits_gradient);

  /// The same with gradients that come to layers before the last.
  std::span<float const> backward(matrix const& logits_gradient,
                                  std::span<feature_gradient const> of_features);

  [[nodiscard]] std::size_t layer_count() const { return layers_.size(); }
  /// What a layer gave in the last `forward`.
  [[nodiscard]] matrix const& output(std::size_t layer) const { return outputs_[layer]; }

  /// Logits of many rows, in blocks that bound the memory; touches nothing that `backward` needs.
  [[nodiscard]] matrix predict(matrix const& inputs) const;

 private:
  [[nodiscard]] std::span<float const> parameters_of(std::size_t layer) const;

  std::vector<std::unique_ptr<layer const>> layers_;
  std::vector<std::size_t> starts_;  // where each layer's parameters begin, and where the last one's end
  aligned_floats parameters_;
  aligned_floats gradients_;
  std::vector<matrix> outputs_;           // of each layer
  std::vector<matrix> output_gradients_;  // of each layer but the last, whose gradient the caller gives
  matrix const* inputs_ = nullptr;
};

/// Dense layers of these widths with a ReLU between them: {784, 32, 10} is one hidden layer of 32.
[[nodiscard]] network multilayer_perceptron(std::vector<Eigen::Index> const& widths, random_numbers& random);

}  // namespace trainer
