#pragma once

#include "distil/core/map_shapes.hpp"
#include "distil/core/row_parameter.hpp"

namespace distil {

/// How a sum over the elements of feature maps becomes a loss.
enum class feature_reduction {
  element_mean,  ///< divided by what counts of samples * positions, and by the channels
  sample_mean,   ///< divided by what counts of the samples: a sum over channels and positions
  sum,
};

namespace detail {

/// Weights of samples or of their positions, such as a token mask: one number, one per sample, or one per position in the
/// order n, y, x.
class map_weights {
 public:
  /// Refuses weights of another size, and any that is negative or not finite.
  map_weights(char const* where, row_parameter const& weights, std::array<index, 4> const& shape)
      : weights_(weights),
        samples_(shape[0]),
        channels_(shape[1]),
        positions_(shape[2] * shape[3]),
        per_position_(weights.per_row() && weights.size() != samples_) {
    require(
        !weights.per_row() || weights.size() == samples_ || weights.size() == samples_ * positions_, where,
        "weights", [&] { return "of size " + std::to_string(weights.size()); },
        [&] {
          return "one per sample, " + std::to_string(samples_) + ", or one per position, " +
                 std::to_string(samples_ * positions_);
        });
    index const count = weights.per_row() ? weights.size() : 1;
    for (index i = 0; i < count; ++i) {
      require(
          is_weight(weights[i]), where, "weights", [&] { return said(weights[i], " at ", i); },
          must_be_weight);
    }
    for (index n = 0; n < samples_; ++n) {
      double of_sample = 0.0;
      if (per_position_) {
        for (index p = 0; p < positions_; ++p) of_sample += weights_[n * positions_ + p];
      } else {
        of_sample = weights_[n];
      }
      total_ += of_sample;
      counted_ += of_sample > 0.0 ? 1 : 0;
    }
  }

  [[nodiscard]] bool per_position() const { return per_position_; }
  /// Of all samples, or of all positions where those are weighed.
  [[nodiscard]] double total() const { return total_; }
  [[nodiscard]] double of(index sample, index position) const {
    return per_position_ ? weights_[sample * positions_ + position] : weights_[sample];
  }

  [[nodiscard]] index samples() const { return samples_; }
  [[nodiscard]] index channels() const { return channels_; }
  [[nodiscard]] index positions() const { return positions_; }

  /// A sample's among samples, and a position's among those of its sample: of one or the other it is 1.
  [[nodiscard]] double of_sample(index sample) const { return per_position_ ? 1.0 : weights_[sample]; }
  [[nodiscard]] double within(index sample, index position) const {
    return per_position_ ? weights_[sample * positions_ + position] : 1.0;
  }
  [[nodiscard]] double total_within(index sample) const {
    double total = 0.0;
    for (index p = 0; p < positions_; ++p) total += within(sample, p);
    return total;
  }

  /// What the weighted sum over elements is multiplied by; 0 where nothing counts.
  [[nodiscard]] double factor(feature_reduction reduce) const {
    if (!(total_ > 0.0)) return 0.0;
    double const per_weight = static_cast<double>(per_position_ ? channels_ : channels_ * positions_);
    if (reduce == feature_reduction::element_mean) return 1.0 / (total_ * per_weight);
    if (reduce == feature_reduction::sample_mean) {
      return 1.0 / (per_position_ ? static_cast<double>(counted_) : total_);
    }
    return 1.0;
  }

 private:
  row_parameter weights_;
  index samples_, channels_, positions_;
  bool per_position_;
  double total_ = 0.0;
  index counted_ = 0;
};

}  // namespace detail
}  // namespace distil
