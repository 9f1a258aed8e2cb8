#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "distil/core/number_rows.hpp"

/// Which channels a network can do without. A channel is a row of a matrix: the weights that make it, channels x (inputs x kernel).
/// Scores are compared, and what lies below is pruned; what the network loses it learns again from its teacher.
namespace distil {

/// What the weights of a channel are summed to.
enum class channel_norm {
  magnitudes,  ///< sum |w|: L1
  length,      ///< sqrt(sum w^2): L2
  squares      ///< sum w^2: what Torch-Pruning calls L2
};

/// What the products of weights and their gradients are summed to: the change of the loss to first order, were they 0.
enum class taylor_sum {
  squared_sum,       ///< (sum w g)^2: Molchanov et al. 2019, equation 8
  magnitude_of_sum,  ///< |sum w g|: Molchanov et al. 2017, of the activations
  magnitudes         ///< sum |w g|
};

/// What scores of a layer are divided by before layers are compared.
enum class importance_scale { none, mean, maximum, length };

namespace detail::pruning {

inline void require_scores(char const* where, number_matrix const& weights, std::span<double> scores) {
  require(
      weights.given() && weights.extent().rows == static_cast<index>(scores.size()), where, "weights",
      [&] { return shape_text(weights.extent().rows, weights.extent().columns); },
      [&] { return said("of a row for each score, ", scores.size()); });
}

/// NaN counts for nothing: a channel that has one is the first to go.
inline void settle(std::span<double> scores) {
  for (double& each : scores) each = std::isnan(each) ? 0.0 : each;
}

}  // namespace detail::pruning

/// Scores of channels by their weights, any type and layout. Throws std::invalid_argument unless there is a row for each score;
/// nothing is written then. Source: Li et al. 2017, arXiv:1608.08710 (L1).
inline void norm_importance(number_matrix const& weights, std::span<double> scores,
                            channel_norm norm = channel_norm::magnitudes) {
  detail::pruning::require_scores("norm_importance", weights, scores);
  std::vector<double> row(static_cast<std::size_t>(weights.extent().columns));
  for (std::size_t c = 0; c < scores.size(); ++c) {
    detail::read_row(weights, static_cast<index>(c), row.data());
    double sum = 0.0;
    for (double const w : row) sum += norm == channel_norm::magnitudes ? std::abs(w) : w * w;
    scores[c] = norm == channel_norm::length ? std::sqrt(sum) : sum;
  }
  detail::pruning::settle(scores);
}

/// Scores by weights and their gradients, added to what is there: over several batches the sum of their scores, so begin at 0.
/// Whether a layer's normalisation is counted is the caller's: its scales and shifts are a matrix of their own, of one or two
/// columns (Torch-Pruning leaves it out). Otherwise as `norm_importance`. Sources: at `taylor_sum`.
inline void taylor_importance(number_matrix const& weights, number_matrix const& gradients,
                              std::span<double> scores, taylor_sum sum = taylor_sum::squared_sum) {
  constexpr char const* where = "taylor_importance";
  detail::pruning::require_scores(where, weights, scores);
  detail::require(gradients.given(), where, "gradients", "nothing", "of the weights' shape");
  detail::require(
      gradients.extent().rows == weights.extent().rows &&
          gradients.extent().columns == weights.extent().columns,
      where, "gradients",
      [&] { return detail::shape_text(gradients.extent().rows, gradients.extent().columns); },
      [&] {
        return detail::said(detail::shape_text(weights.extent().rows, weights.extent().columns),
                            ", as the weights");
      });
  std::vector<double> w(static_cast<std::size_t>(weights.extent().columns)), g(w.size());
  for (std::size_t c = 0; c < scores.size(); ++c) {
    detail::read_row(weights, static_cast<index>(c), w.data());
    detail::read_row(gradients, static_cast<index>(c), g.data());
    double total = 0.0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      total += sum == taylor_sum::magnitudes ? std::abs(w[i] * g[i]) : w[i] * g[i];
    }
    scores[c] += sum == taylor_sum::squared_sum ? total * total : std::abs(total);
  }
  detail::pruning::settle(scores);
}

/// The magnitudes of a normalisation's scales, one a channel: network slimming. Its penalty of their magnitudes is the trainer's.
/// Throws std::invalid_argument unless there is a scale for each score. Source: Liu et al. 2017, arXiv:1708.06519.
inline void scale_importance(number_matrix const& scales, std::span<double> scores) {
  detail::pruning::require_scores("scale_importance", scales, scores);
  norm_importance(scales, scores, channel_norm::magnitudes);
}

/// Divides the scores of a layer, so that layers can be compared. Scores that are all 0 stay.
inline void scale_scores(std::span<double> scores, importance_scale scale) {
  double divisor = 0.0;
  for (double const each : scores) {
    divisor = scale == importance_scale::maximum  ? std::max(divisor, each)
              : scale == importance_scale::length ? divisor + each * each
                                                  : divisor + each;
  }
  if (scale == importance_scale::mean) divisor /= static_cast<double>(scores.size());
  if (scale == importance_scale::length) divisor = std::sqrt(divisor);
  if (scale == importance_scale::none || !(divisor > 0.0)) return;
  for (double& each : scores) each /= divisor;
}

struct kept_channels_options {
  index at_least = 1;     ///< channels that a layer keeps whatever their scores; >= 0
  index multiple_of = 1;  ///< their number is rounded up to a multiple of this, where there are so many; >= 1
};

/// The channels that stay when a share of them goes, in ascending order: those with the largest scores, of equal ones the first.
/// Throws std::invalid_argument unless sparsity is within [0, 1] and the options are in their ranges.
inline std::vector<index> kept_channels(std::span<double const> scores, double sparsity,
                                        kept_channels_options const& options = {}) {
  constexpr char const* where = "kept_channels";
  detail::require(sparsity >= 0.0 && sparsity <= 1.0, where, "sparsity", sparsity, "within [0, 1]");
  detail::require(options.at_least >= 0, where, "at_least", options.at_least, ">= 0");
  detail::require(options.multiple_of >= 1, where, "multiple_of", options.multiple_of, ">= 1");
  auto const count = static_cast<index>(scores.size());
  index wanted = count - static_cast<index>(std::floor(sparsity * static_cast<double>(count) + 1e-9));
  wanted = std::max(wanted, options.at_least);
  wanted = std::min(count, (wanted + options.multiple_of - 1) / options.multiple_of * options.multiple_of);
  std::vector<index> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<index>(i);
  std::stable_sort(order.begin(), order.end(), [&](index a, index b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(wanted));
  std::sort(order.begin(), order.end());
  return order;
}

/// The same over several layers with one threshold: each keeps what its scores earn, as many in all as the share says, but for
/// what `at_least` and `multiple_of` add.
inline std::vector<std::vector<index>> kept_channels_of_layers(
    std::span<std::span<double const> const> layers, double sparsity,
    kept_channels_options const& options = {}) {
  std::vector<double> all;
  for (std::span<double const> const each : layers) all.insert(all.end(), each.begin(), each.end());
  std::vector<index> const kept = kept_channels(all, sparsity, {.at_least = 0});
  std::vector<std::vector<index>> result;
  std::size_t next = 0;
  index first = 0;
  for (std::span<double const> const each : layers) {
    auto const count = static_cast<index>(each.size());
    index own = 0;
    for (; next < kept.size() && kept[next] < first + count; ++next) ++own;
    double const share = count == 0 ? 0.0 : static_cast<double>(count - own) / static_cast<double>(count);
    result.push_back(kept_channels(each, share, options));
    first += count;
  }
  return result;
}

/// The columns or elements of kept channels, one behind the other: what is left of a layer's weights, or of the next one's
/// inputs. Throws std::invalid_argument when an index is not below the number of elements.
template <class T>
std::vector<T> of_kept(std::span<T const> elements, std::span<index const> kept) {
  std::vector<T> result;
  for (index const each : kept) {
    detail::require(each >= 0 && each < static_cast<index>(elements.size()), "of_kept", "channel", each,
                    [&] { return detail::said("within [0, ", elements.size(), ")"); });
    result.push_back(elements[static_cast<std::size_t>(each)]);
  }
  return result;
}

}  // namespace distil
