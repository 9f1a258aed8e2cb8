#pragma once

#include "layer.hpp"

namespace trainer {

/// output = input * weights + bias; parameters are the weights [inputs x outputs], row by row, then the bias.
class dense final : public layer {
 public:
  dense(Eigen::Index inputs, Eigen::Index outputs) : inputs_(inputs), outputs_(outputs) {}

  [[nodiscard]] Eigen::Index inputs() const override { return inputs_; }
  [[nodiscard]] Eigen::Index outputs() const override { return outputs_; }
  [[nodiscard]] std::size_t parameter_count() const override {
    return static_cast<std::size_t>((inputs_ + 1) * outputs_);
  }

  /// Weights uniform in +-sqrt(6 / inputs) (He et al. 2015, variance 2 / inputs), bias 0.
  void initialize(std::span<float> parameters, random_numbers& random) const override;
  void forward(std::span<float const> parameters, matrix const& input, matrix& output) const override;
  void backward(std::span<float const> parameters, matrix const& input, matrix const& output_gradient,
                std::span<float> parameter_gradient, matrix* input_gradient) const override;

 private:
  Eigen::Index inputs_;
  Eigen::Index outputs_;
};

}  // namespace trainer
