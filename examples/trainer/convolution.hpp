#pragma once

#include "layer.hpp"

namespace trainer {

/// What a row holds: an image of so many channels, channels last.
struct image_shape {
  Eigen::Index height = 0;
  Eigen::Index width = 0;
  Eigen::Index channels = 0;

  [[nodiscard]] Eigen::Index pixels() const { return height * width; }
  [[nodiscard]] Eigen::Index size() const { return pixels() * channels; }
};

/// 3 x 3 convolution of images with a border of zeros, so that they keep their size. Parameters are the weights
/// [9 * channels x outputs], row by row from the upper left neighbour on, then the bias.
class convolution final : public layer {
 public:
  convolution(image_shape input, Eigen::Index channels) : input_(input), channels_(channels) {}

  [[nodiscard]] Eigen::Index inputs() const override { return input_.size(); }
  [[nodiscard]] Eigen::Index outputs() const override { return input_.pixels() * channels_; }
  [[nodiscard]] std::size_t parameter_count() const override {
    return static_cast<std::size_t>((9 * input_.channels + 1) * channels_);
  }
  [[nodiscard]] image_shape output_shape() const { return {input_.height, input_.width, channels_}; }

  /// Weights uniform in +-sqrt(6 / (9 * channels)) (He et al. 2015), bias 0.
  void initialize(std::span<float> parameters, random_numbers& random) const override;
  void forward(std::span<float const> parameters, matrix const& input, matrix& output) const override;
  void backward(std::span<float const> parameters, matrix const& input, matrix const& output_gradient,
                std::span<float> parameter_gradient, matrix* input_gradient) const override;

 private:
  /// The neighbours of every pixel of an image, a pixel a row; and the way back, which sums them.
  void gather(float const* image, matrix& neighbours) const;
  void scatter(matrix const& neighbours, float* image) const;

  image_shape input_;
  Eigen::Index channels_;
};

}  // namespace trainer
