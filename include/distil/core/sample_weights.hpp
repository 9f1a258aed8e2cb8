#pragma once

#include "distil/core/row_parameter.hpp"
#include "distil/core/shapes.hpp"

namespace distil::detail {

/// Weights of samples: one number, or one per sample.
class sample_weights {
 public:
  /// Refuses weights of another size, and any that is negative or not finite.
  sample_weights(char const* where, row_parameter const& weights, index samples) : weights_(weights) {
    require(
        !weights.per_row() || weights.size() == samples, where, "weights",
        [&] { return "of size " + std::to_string(weights.size()); },
        [&] { return "one per sample, " + std::to_string(samples); });
    index const count = weights.per_row() ? samples : 1;
    for (index n = 0; n < count; ++n) {
      require(
          is_weight(weights[n]), where, "weights", [&] { return said(weights[n], " at ", n); },
          must_be_weight);
    }
    for (index n = 0; n < samples; ++n) total_ += weights_[n];
  }

  [[nodiscard]] double operator[](index sample) const { return weights_[sample]; }
  [[nodiscard]] double total() const { return total_; }
  /// What makes a mean of the weighted sum over samples with `size` numbers each; 0 where nothing counts.
  [[nodiscard]] double mean_factor(double size = 1.0) const {
    return total_ > 0.0 ? 1.0 / (total_ * size) : 0.0;
  }

 private:
  row_parameter weights_;
  double total_ = 0.0;
};

}  // namespace distil::detail
