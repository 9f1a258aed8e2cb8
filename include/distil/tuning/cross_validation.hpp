#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "distil/core/labels.hpp"
#include "distil/core/random_stream.hpp"

namespace distil::tuning {

/// Indices of samples to learn from and to be judged by.
struct fold {
  std::vector<index> training, validation;
};

struct cross_validation_options {
  index folds = 5;         ///< at least 2, at most as many as samples
  std::uint64_t seed = 0;  ///< of the shuffle
  label_view labels = {};  ///< where given, one per sample: each class is spread over the folds alike
};

/// Splits samples into folds: each is validation once, and part of the training otherwise. Sizes differ by one at most (with
/// labels, those of each class, and of the whole by at most the number of classes). Indices rise within a part. Throws
/// std::invalid_argument when an option is refused.
///
///     for (auto const& each : tuning::cross_validation(samples, {.folds = 5})) metrics.push_back(train(each.training, each.validation));
///     auto const [mean, error] = tuning::mean_and_error(metrics);
[[nodiscard]] inline std::vector<fold> cross_validation(index samples,
                                                        cross_validation_options const& options = {}) {
  constexpr char const* where = "tuning::cross_validation";
  detail::require(options.folds >= 2 && options.folds <= samples, where, "folds", options.folds,
                  [&] { return detail::said("within [2, ", samples, "], the number of samples"); });
  bool const stratified = options.labels.size() > 0;
  if (stratified) {
    detail::require(
        options.labels.size() == samples, where, "labels",
        [&] { return detail::said("of size ", options.labels.size()); },
        [&] { return detail::said("one per sample, ", samples); });
  }
  std::vector<index> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), index{0});
  random_stream random(options.seed);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  }
  if (stratified) {
    std::stable_sort(order.begin(), order.end(),
                     [&](index a, index b) { return options.labels[a] < options.labels[b]; });
  }
  std::vector<fold> result(static_cast<std::size_t>(options.folds));
  std::vector<std::size_t> fold_of(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    fold_of[static_cast<std::size_t>(order[i])] = i % result.size();
  for (std::size_t sample = 0; sample < fold_of.size(); ++sample) {
    for (std::size_t k = 0; k < result.size(); ++k) {
      auto& part = fold_of[sample] == k ? result[k].validation : result[k].training;
      part.push_back(static_cast<index>(sample));
    }
  }
  return result;
}

/// The mean of some metrics, and the standard error of it; 0 of less than two. Folds share their training samples, so the error
/// is too small for a test, and right for a table.
struct summary {
  double mean = 0, error = 0;
};
[[nodiscard]] inline summary mean_and_error(std::span<double const> metrics) {
  if (metrics.empty()) return {};
  auto const count = static_cast<double>(metrics.size());
  summary found;
  for (double const each : metrics) found.mean += each / count;
  double squares = 0.0;
  for (double const each : metrics) squares += (each - found.mean) * (each - found.mean);
  if (metrics.size() > 1) found.error = std::sqrt(squares / (count - 1.0) / count);
  return found;
}

}  // namespace distil::tuning
