#pragma once

#include "distil/relation/instance_relation_graph.hpp"

#include "layer_pair_case.hpp"

namespace distil::testing {

struct instance_relation_graph_case
    : layer_pair_case<distil::instance_relation_graph, instance_relation_graph_options> {
  static constexpr char const* name = "instance_relation_graph";
  static constexpr error_bound bound = instance_relation_graph_loss::bound;

  static std::vector<setting> settings() {
    return {{"both", {.edge_weight = 1, .transformation_weight = 0.5}},
            {"edges", {.edge_weight = 1, .transformation_weight = 0}},
            {"transformation", {.edge_weight = 0, .transformation_weight = 1}}};
  }

  static std::vector<pair_shape> shapes() {
    return {{{2, 2, 1, 1}, {2, 1, 1, 1}}, {{4, 3, 2, 1}, {4, 2, 1, 3}}, {{8, 3, 2, 4}, {8, 2, 3, 5}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{600, 3, 4, 3}, {600, 4, 2, 3}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const samples = student.samples() / 2;
    if (samples == 0) return 0;
    long double edges = 0;
    for (index const first : {index(0), samples}) {
      auto const a =
          distances(student, samples, [&](index i, index j) { return std::pair(first + i, first + j); });
      auto const b =
          distances(teacher, samples, [&](index i, index j) { return std::pair(first + i, first + j); });
      edges += mean_square(a, b) / 2;
    }
    auto const between = [&](index i, index j) {
      return i == j ? std::pair(i, samples + i) : std::pair(i, i);
    };
    // Only samples / samples^2 of these are not 0.
    long double const moved =
        mean_square(distances(student, samples, between), distances(teacher, samples, between)) *
        static_cast<long double>(samples);
    return static_cast<long double>(s.options.edge_weight) * edges +
           static_cast<long double>(s.options.transformation_weight) * moved;
  }

  static pair_scales scales(exact_map const&, exact_map const&, setting const& s) {
    return {s.options.edge_weight + s.options.transformation_weight, 0};
  }

 private:
  template <class Pair>
  static std::vector<long double> distances(exact_map const& map, index samples, Pair const& pair) {
    std::vector<long double> result;
    for (index i = 0; i < samples; ++i) {
      for (index j = 0; j < samples; ++j) {
        auto const [a, b] = pair(i, j);
        long double sum = 0;
        for (index c = 0; c < map.channels(); ++c) {
          for (index p = 0; p < map.positions(); ++p) sum += std::pow(map.at(a, c, p) - map.at(b, c, p), 2);
        }
        result.push_back(sum);
      }
    }
    return result;
  }

  static long double mean_square(std::vector<long double> const& a, std::vector<long double> const& b) {
    long double const of_a = *std::max_element(a.begin(), a.end()),
                      of_b = *std::max_element(b.begin(), b.end());
    long double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += std::pow((of_a > 0 ? a[i] / of_a : 0) - (of_b > 0 ? b[i] / of_b : 0), 2);
    return sum / static_cast<long double>(a.size());
  }
};

}  // namespace distil::testing
