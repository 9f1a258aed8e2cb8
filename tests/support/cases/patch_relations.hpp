#pragma once

#include "distil/feature/patch_relations.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct patch_relations_case : pair_case<distil::patch_relations, patch_relations_options> {
  static constexpr char const* name = "patch_relations";
  static constexpr error_bound bound = patch_relations_loss::bound;

  static std::vector<setting> settings() {
    return {{"both", {.intra_weight = 1, .inter_weight = 0.5}},
            {"patches of a sample", {.intra_weight = 1, .inter_weight = 0}},
            {"samples at a patch", {.intra_weight = 0, .inter_weight = 1}}};
  }

  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 2, 1, 1}},
            {{2, 3, 2, 2}, {2, 2, 2, 2}},
            {{1, 2, 1, 9}, {1, 5, 1, 9}},
            {{3, 4, 3, 2}, {3, 6, 3, 2}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{20, 24, 7, 7}, {20, 16, 7, 7}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const samples = student.samples(), positions = student.positions();
    auto const difference = [&](index n, index p, index m, index q) {
      long double const d = cosine(student, n, p, m, q) - cosine(teacher, n, p, m, q);
      return d * d;
    };
    long double intra = 0, inter = 0, random = 0;
    for (index n = 0; n < samples; ++n) {
      for (index p = 0; p < positions; ++p) {
        for (index q = 0; q < positions && s.options.intra_weight > 0; ++q) intra += difference(n, p, n, q);
        for (index m = 0; m < samples && s.options.inter_weight > 0; ++m) inter += difference(n, p, m, p);
      }
    }
    for (index const i : s.options.sampled) {
      for (index const j : s.options.sampled)
        random += difference(i / positions, i % positions, j / positions, j % positions);
    }
    auto const mean = [](long double sum, index count) {
      return count == 0 ? 0 : sum / static_cast<long double>(count);
    };
    auto const drawn = static_cast<index>(s.options.sampled.size());
    return static_cast<long double>(s.options.intra_weight) * mean(intra, samples * positions * positions) +
           static_cast<long double>(s.options.inter_weight) * mean(inter, samples * samples * positions) +
           static_cast<long double>(s.options.random_weight) * mean(random, drawn * drawn);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    double shortest = 1e300;
    for (index n = 0; n < student.samples(); ++n) {
      for (index p = 0; p < student.positions(); ++p)
        shortest = std::min(shortest, static_cast<double>(std::sqrt(product(student, n, p, n, p))));
    }
    double const weight = s.options.intra_weight + s.options.inter_weight;
    double const random = s.options.sampled.empty() ? 0 : s.options.random_weight;
    double const drawn = s.options.sampled.empty() ? 1 : static_cast<double>(s.options.sampled.size());
    auto const patches = static_cast<double>(student.samples() * student.positions());
    return {weight + random, (weight / patches + random / drawn) / shortest};
  }

 private:
  static long double product(exact_map const& x, index n, index p, index m, index q) {
    long double sum = 0;
    for (index c = 0; c < x.channels(); ++c) sum += x.at(n, c, p) * x.at(m, c, q);
    return sum;
  }
  static long double cosine(exact_map const& x, index n, index p, index m, index q) {
    return product(x, n, p, m, q) / std::sqrt(product(x, n, p, n, p) * product(x, m, q, m, q));
  }
};

}  // namespace distil::testing
