#pragma once

#include "distil/relation/cross_modal_relation.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct cross_modal_relation_case
    : pair_case<distil::cross_modal_relation, cross_modal_relation_options, pair_arguments::matrices> {
  static constexpr char const* name = "cross_modal_relation";
  static constexpr error_bound bound = cross_modal_relation_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"across alone", {.temperature = 0.2, .teacher_temperature = 0.1, .intra_weight = 0}},
            {"within alone", {.temperature = 0.5, .cross_weight = 0, .intra_weight = 2}}};
  }

  static std::vector<pair_shape> shapes() {
    return same({{1, 1, 1, 1}, {2, 3, 1, 1}, {3, 1, 1, 1}, {4, 17, 1, 1}, {9, 19, 1, 1}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{600, 24, 1, 1}}); }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    cross_modal_relation_options const& o = s.options;
    exact_map const u = unit_rows_of(student), v = unit_rows_of(teacher);
    long double sum = 0;
    for (index i = 0; i < student.samples(); ++i) {
      auto const p = log_probabilities(v, i, v, o.teacher_temperature);
      auto const q = log_probabilities(u, i, v, o.temperature), r = log_probabilities(u, i, u, o.temperature);
      for (std::size_t j = 0; j < p.size(); ++j) {
        sum += std::exp(p[j]) * (o.cross_weight * (p[j] - q[j]) + o.intra_weight * (p[j] - r[j]));
      }
    }
    return student.samples() == 0 ? 0 : sum / static_cast<long double>(student.samples());
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    cross_modal_relation_options const& o = s.options;
    double const t = std::min(1.0, std::min(o.temperature, o.teacher_temperature));
    return {(o.cross_weight + o.intra_weight) / t,
            (o.cross_weight + 2 * o.intra_weight) /
                (static_cast<double>(student.samples()) * t * t * shortest_row_of(student))};
  }

 private:
  static std::vector<long double> log_probabilities(exact_map const& a, index row, exact_map const& b,
                                                    long double temperature) {
    std::vector<long double> result;
    long double sum = 0;
    for (index j = 0; j < b.samples(); ++j) {
      long double dot = 0;
      for (index c = 0; c < a.channels(); ++c) dot += a(row, c) * b(j, c);
      result.push_back(dot / temperature);
      sum += std::exp(dot / temperature);
    }
    for (long double& entry : result) entry -= std::log(sum);
    return result;
  }
};

}  // namespace distil::testing
