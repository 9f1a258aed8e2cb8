#pragma once

#include "distil/contrastive/info_nce.hpp"

#include "naive_embeddings.hpp"
#include "pair_case.hpp"

namespace distil::testing {

struct info_nce_case : pair_case<distil::info_nce, info_nce_options, pair_arguments::matrices> {
  static constexpr char const* name = "info_nce";
  static constexpr error_bound bound = info_nce_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"T = 1, as given", {.temperature = 1.0, .normalize = false}},
            {"symmetric", {.temperature = 0.5, .symmetric = true}}};
  }
  static std::vector<pair_shape> shapes() {
    return same({{1, 3, 1, 1}, {2, 1, 1, 1}, {3, 17, 1, 1}, {9, 5, 1, 1}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{600, 40, 1, 1}}); }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const similarity = naive::similarities(naive::embeddings(student, s.options.normalize),
                                                naive::embeddings(teacher, s.options.normalize));
    long double const rows = naive::own_entry_loss(similarity, 1 / s.options.temperature);
    if (!s.options.symmetric) return rows;
    return (rows + naive::own_entry_loss(naive::turned(similarity), 1 / s.options.temperature)) / 2;
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    double const scale = 1 / s.options.temperature, count = static_cast<double>(student.samples());
    double const size = s.options.normalize ? 1 : naive::longest(student) * naive::longest(teacher);
    double const length = s.options.normalize ? naive::shortest(student) : 1 / naive::longest(teacher);
    return {1 + std::log(count) + size * scale, (1 + size * scale) * scale / (count * length)};
  }
};

}  // namespace distil::testing
