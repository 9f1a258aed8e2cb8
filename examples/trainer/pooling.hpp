#pragma once

#include "convolution.hpp"

namespace trainer {

/// The mean of every 2 x 2 pixels of images with even height and width, channels last.
class average_pooling final : public layer {
 public:
  explicit average_pooling(image_shape input) : input_(input) {}

  [[nodiscard]] Eigen::Index inputs() const override { return input_.size(); }
  [[nodiscard]] Eigen::Index outputs() const override { return output_shape().size(); }
  [[nodiscard]] std::size_t parameter_count() const override { return 0; }
  [[nodiscard]] image_shape output_shape() const {
    return {input_.height / 2, input_.width / 2, input_.channels};
  }
  void initialize(std::span<float> /*parameters*/, random_numbers& /*random*/) const override {}

  void forward(std::span<float const> /*parameters*/, matrix const& input, matrix& output) const override {
    output.setZero(input.rows(), outputs());
    for_each_pair(input.rows(), [&](Eigen::Index row, Eigen::Index from, Eigen::Index to) {
      output.row(row).segment(to, input_.channels) += 0.25F * input.row(row).segment(from, input_.channels);
    });
  }

  void backward(std::span<float const> /*parameters*/, matrix const& input, matrix const& output_gradient,
                std::span<float> /*parameter_gradient*/, matrix* input_gradient) const override {
    if (input_gradient == nullptr) return;
    input_gradient->resize(input.rows(), inputs());
    for_each_pair(input.rows(), [&](Eigen::Index row, Eigen::Index from, Eigen::Index to) {
      input_gradient->row(row).segment(from, input_.channels) =
          0.25F * output_gradient.row(row).segment(to, input_.channels);
    });
  }

 private:
  /// Where the channels of each pixel begin, and those of the pixel it is a part of.
  template <class Visit>
  void for_each_pair(Eigen::Index rows, Visit const& visit) const {
    for (Eigen::Index row = 0; row < rows; ++row) {
      for (Eigen::Index y = 0; y < input_.height; ++y) {
        for (Eigen::Index x = 0; x < input_.width; ++x) {
          visit(row, (y * input_.width + x) * input_.channels,
                (y / 2 * (input_.width / 2) + x / 2) * input_.channels);
        }
      }
    }
  }

  image_shape input_;
};

}  // namespace trainer
