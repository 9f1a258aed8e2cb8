#pragma once

#include <algorithm>
#include <span>

#include "distil/core/map_weights.hpp"

/// Where the losses of single samples or positions go, an option `values`: what each would give if it were alone, with
/// weight 1. What does not count has 0.
namespace distil::detail {

/// One per sample.
class sample_values {
 public:
  sample_values(char const* where, std::span<double> values, index samples) : values_(values) {
    require(
        values.empty() || std::ssize(values) == samples, where, "values",
        [&] { return said("of size ", std::ssize(values)); },
        [&] { return said("one per sample, ", samples); });
    std::fill(values.begin(), values.end(), 0.0);
  }

  /// What counts of a sample.
  void add(index sample, double part) const {
    if (!values_.empty()) values_[static_cast<std::size_t>(sample)] += part;
  }

 private:
  std::span<double> values_;
};

/// One per sample, or one per position in the order n, y, x, from sums over channels.
class map_values {
 public:
  map_values(char const* where, std::span<double> values, feature_reduction reduce,
             map_weights const& weights)
      : values_(values),
        weights_(weights),
        per_position_(std::ssize(values) != weights.samples()),
        mean_(reduce == feature_reduction::element_mean) {
    index const positions = weights.samples() * weights.positions();
    require(
        values.empty() || !per_position_ || std::ssize(values) == positions, where, "values",
        [&] { return said("of size ", std::ssize(values)); },
        [&] { return said("one per sample, ", weights.samples(), ", or one per position, ", positions); });
    std::fill(values.begin(), values.end(), 0.0);
  }

  [[nodiscard]] bool per_position() const { return per_position_ && !values_.empty(); }

  void set(index sample, double value) const {
    if (!values_.empty()) at(sample) = value;
  }
  /// A position that counts, or a sample in one piece.
  void add(index sample, index position, double sum) const {
    if (per_position()) {
      at(sample * weights_.positions() + position) =
          mean_ ? sum / static_cast<double>(weights_.channels()) : sum;
    } else if (!values_.empty()) {
      at(sample) += weights_.within(sample, position) * sum;
    }
  }
  /// After the last position of a sample.
  void finish(index sample) const {
    if (values_.empty() || per_position() || !mean_) return;
    double const divisor = weights_.total_within(sample) * static_cast<double>(weights_.channels());
    if (divisor > 0.0) at(sample) /= divisor;
  }

 private:
  [[nodiscard]] double& at(index place) const { return values_[static_cast<std::size_t>(place)]; }

  std::span<double> values_;
  map_weights const& weights_;
  bool per_position_, mean_;
};

}  // namespace distil::detail
