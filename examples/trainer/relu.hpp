#pragma once

#include "layer.hpp"

namespace trainer {

/// output = max(input, 0); the derivative at 0 is taken as 0.
class relu final : public layer {
 public:
  explicit relu(Eigen::Index width) : width_(width) {}

  [[nodiscard]] Eigen::Index inputs() const override { return width_; }
  [[nodiscard]] Eigen::Index outputs() const override { return width_; }
  [[nodiscard]] std::size_t parameter_count() const override { return 0; }
  void initialize(std::span<float> /*parameters*/, random_numbers& /*random*/) const override {}

  void forward(std::span<float const> /*parameters*/, matrix const& input, matrix& output) const override {
    output = input.cwiseMax(0.0F);
  }

  void backward(std::span<float const> /*parameters*/, matrix const& input, matrix const& output_gradient,
                std::span<float> /*parameter_gradient*/, matrix* input_gradient) const override {
    if (input_gradient == nullptr) return;
    *input_gradient = (input.array() > 0.0F).select(output_gradient, 0.0F);
  }

 private:
  Eigen::Index width_;
};

}  // namespace trainer
