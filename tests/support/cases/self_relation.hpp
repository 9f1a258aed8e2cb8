#pragma once

#include "distil/attention/self_relation.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

struct self_relation_case : pair_case<distil::self_relation, relation_options> {
  static constexpr char const* name = "self_relation";
  static constexpr error_bound bound = self_relation_loss::bound;

  static std::vector<setting> settings() {
    static std::vector<double> const temperatures = {0.5, 3};
    return {
        {"two heads", {.heads = 2}},
        {"cross entropy, mean",
         {.heads = 1, .kind = attention_divergence_kind::cross_entropy, .reduce = attention_reduction::mean}},
        {"temperatures, sum",
         {.temperature = temperatures,
          .scale_by_temperature_squared = true,
          .heads = 2,
          .reduce = attention_reduction::sum}}};
  }
  static std::vector<pair_shape> shapes() {
    return {{{1, 2, 1, 1}, {1, 4, 1, 1}},
            {{2, 4, 1, 3}, {2, 2, 1, 3}},
            {{1, 6, 1, 19}, {1, 6, 1, 19}},
            {{3, 4, 2, 3}, {3, 10, 2, 3}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{30, 16, 1, 40}, {30, 24, 1, 40}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    return relation_of(student, student, teacher, teacher, s.options);
  }
  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    return relation_scales(student, student, teacher, teacher, s.options);
  }
};

}  // namespace distil::testing
