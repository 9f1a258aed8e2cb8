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

enum class values_of { samples, samples_or_positions };

/// One per sample, or one per position in the order n, y, x, from sums over channels.
class map_values {
 public:
  /// @param divisor  of the loss, besides what `reduce` divides by
  map_values(char const* where, std::span<double> values, feature_reduction reduce,
             map_weights const& weights, values_of what = values_of::samples_or_positions,
             double divisor = 1.0)
      : values_(values),
        weights_(weights),
        per_position_(!values.empty() && std::ssize(values) != weights.samples()),
        mean_(reduce == feature_reduction::element_mean),
        divisor_(divisor) {
    index const samples = weights.samples(), positions = samples * weights.positions();
    require(
        !per_position_ || (what == values_of::samples_or_positions && std::ssize(values) == positions), where,
        "values", [&] { return said("of size ", std::ssize(values)); },
        [&] {
          return what == values_of::samples
                     ? said("one per sample, ", samples)
                     : said("one per sample, ", samples, ", or one per position, ", positions);
        });
    std::fill(values.begin(), values.end(), 0.0);
  }

  [[nodiscard]] bool per_position() const { return per_position_; }

  /// The sum over the channels of a position that counts, or of a sample in one piece.
  void add(index sample, index position, double sum) const {
    if (per_position_) {
      at(sample * weights_.positions() + position) =
          mean_ ? sum / static_cast<double>(weights_.channels()) : sum;
    } else {
      add_weighed(sample, weights_.within(sample, position) * sum);
    }
  }
  /// The sum of what counts of a sample, by the weights that its positions have.
  void add_weighed(index sample, double sum) const {
    if (!values_.empty()) at(sample) += sum;
  }
  /// After the last of a sample that is a sum over elements.
  void finish(index sample) const {
    if (values_.empty() || per_position_) return;
    double const elements =
        mean_ ? weights_.total_within(sample) * static_cast<double>(weights_.channels()) : 1.0;
    if (elements > 0.0) at(sample) /= elements * divisor_;
  }

 private:
  [[nodiscard]] double& at(index place) const { return values_[static_cast<std::size_t>(place)]; }

  std::span<double> values_;
  map_weights const& weights_;
  bool per_position_, mean_;
  double divisor_;
};

}  // namespace distil::detail
