#pragma once

#include "distil/matrix/layer_pair.hpp"

#include "pair_case.hpp"

namespace distil::testing {

/// A case of a loss between layers: the first half of a map's samples are the first layer, the second half the second.
template <auto const& Loss, class Options>
struct layer_pair_case : pair_case<Loss, Options> {
  using setting = typename pair_case<Loss, Options>::setting;
  static constexpr index layers_of_a_map = 2;

  static std::vector<pair_shape> shapes() {
    return {{{2, 1, 1, 1}, {2, 1, 1, 1}}, {{4, 3, 2, 2}, {4, 3, 1, 3}}, {{6, 5, 4, 3}, {6, 5, 3, 5}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{40, 9, 13, 11}, {40, 9, 12, 10}}}; }

  template <class Policy, class Batch>
  static auto value(Policy policy, Batch const& b, setting const& s) {
    return Loss(policy, halves(b.student.map()), halves(b.teacher.map()), s.options);
  }
  template <class Policy, class Batch, class Gradient>
  static auto with_grad(Policy policy, Batch const& b, owned_map<Gradient>& gradient, setting const& s,
                        bool accumulate) {
    Options options = s.options;
    options.accumulate = accumulate;
    return Loss.with_grad(policy, halves(b.student.map()), halves(b.teacher.map()), halves(gradient.map()),
                          options);
  }

 private:
  template <class T>
  static auto halves(feature_map<T> const& map) {
    auto first = map, second = map;
    first.samples = map.samples / 2;
    second.samples = map.samples - first.samples;
    second.data += first.samples * map.strides.sample;
    return layers(feature_map<T>(first), feature_map<T>(second));
  }
};

}  // namespace distil::testing
