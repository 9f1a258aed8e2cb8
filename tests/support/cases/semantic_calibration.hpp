#pragma once

#include "distil/feature/semantic_calibration.hpp"

#include "../owned_map.hpp"

namespace distil::testing {

/// Three layers of different shapes, their scores, and room for gradients.
template <class T>
struct semantic_calibration_case {
  static constexpr char const* name = "semantic_calibration";
  static constexpr error_bound bound = semantic_calibration_loss::bound;
  static constexpr index layers = 3;

  std::vector<owned_map<T>> students, teachers, gradients;
  owned_map<T> scores, by_scores;

  explicit semantic_calibration_case(index samples, map_layout order = map_layout::channels_first)
      : scores({samples, layers, 1, 1}, order), by_scores({samples, layers, 1, 1}, order) {
    map_shape const shapes[layers] = {{samples, 2, 3, 4}, {samples, 5, 1, 1}, {samples, 3, 2, 2}};
    numbers random(3);
    auto const draw = [&](index, index, index, index) { return 2 * random.next(); };
    for (map_shape const& shape : shapes) {
      for (auto* const maps : {&students, &teachers, &gradients}) maps->emplace_back(shape, order).fill(draw);
    }
    scores.fill(draw);
    by_scores.fill(draw);
  }

  static auto maps_of(std::vector<owned_map<T>>& owned) {
    std::vector<feature_map<T>> result;
    for (auto& map : owned) result.push_back(map.map());
    return result;
  }

  loss_value value(semantic_calibration_options const& options = {}) {
    return semantic_calibration(maps_of(students), maps_of(teachers), scores.matrix(), options);
  }
  template <class Policy>
  loss_value with_grad(Policy policy, semantic_calibration_options const& options = {}) {
    return semantic_calibration.with_grad(policy, maps_of(students), maps_of(teachers), scores.matrix(),
                                          maps_of(gradients), by_scores.matrix(), options);
  }

  /// The naive loss.
  static long double of(std::vector<exact_map> const& student, std::vector<exact_map> const& teacher,
                        exact_map const& score, row_parameter const& weights) {
    long double sum = 0, total = 0;
    for (index n = 0; n < score.samples(); ++n) {
      long double all = 0, weighed = 0;
      for (index j = 0; j < layers; ++j) {
        auto const& s = student[static_cast<std::size_t>(j)];
        auto const& t = teacher[static_cast<std::size_t>(j)];
        long double squares = 0;
        for (index c = 0; c < s.channels(); ++c) {
          for (index p = 0; p < s.positions(); ++p) squares += std::pow(s.at(n, c, p) - t.at(n, c, p), 2);
        }
        all += std::exp(score(n, j));
        weighed += std::exp(score(n, j)) * squares / static_cast<long double>(s.channels() * s.positions());
      }
      auto const weight = static_cast<long double>(weights[n]);
      total += weight;
      sum += weight * weighed / all;
    }
    return sum / total;
  }
};

}  // namespace distil::testing
