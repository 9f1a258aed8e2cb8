#pragma once

#include <cstddef>
#include <span>

#include "matrix.hpp"
#include "random.hpp"

namespace trainer {

/// A differentiable map from rows of `inputs()` numbers to rows of `outputs()` numbers.
///
/// Layers hold no numbers of their own: parameters, gradients and activations belong to the `network`, in one
/// piece, so that an optimiser or a copy sees a single span.
class layer {
 public:
  virtual ~layer() = default;

  [[nodiscard]] virtual Eigen::Index inputs() const = 0;
  [[nodiscard]] virtual Eigen::Index outputs() const = 0;
  [[nodiscard]] virtual std::size_t parameter_count() const = 0;
  virtual void initialize(std::span<float> parameters, random_numbers& random) const = 0;

  /// Writes the whole of `output`, which has one row per row of `input`.
  virtual void forward(std::span<float const> parameters, matrix const& input, matrix& output) const = 0;

  /// From dL/d(output), writes dL/d(parameters) and, unless `input_gradient` is null, dL/d(input).
  virtual void backward(std::span<float const> parameters, matrix const& input, matrix const& output_gradient,
                        std::span<float> parameter_gradient, matrix* input_gradient) const = 0;
};

}  // namespace trainer
