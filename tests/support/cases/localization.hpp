#pragma once

#include "distil/feature/localization.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct localization_case : pair_case<distil::localization, localization_options> {
  static constexpr char const* name = "localization";
  static constexpr error_bound bound = localization_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"bin mean, T = 1", {.temperature = 1, .reduce = localization_reduction::bin_mean}},
            {"sum, without T^2, two edges",
             {.temperature = 3,
              .scale_by_temperature_squared = false,
              .edges = 2,
              .reduce = localization_reduction::sum}},
            {"an edge a row, T = 0.5", {.temperature = 0.5, .edges = 1}}};
  }

  static std::vector<pair_shape> shapes() {
    return same({{1, 4, 1, 1}, {2, 8, 1, 3}, {5, 36, 1, 1}, {2, 12, 3, 2}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{40, 68, 5, 4}}); }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    localization_options const& o = s.options;
    index const bins = student.channels() / o.edges;
    bool const by_edge =
        o.weights.per_row() && o.weights.size() == student.samples() * student.positions() * o.edges;
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      for (index p = 0; p < student.positions(); ++p) {
        for (index e = 0; e < o.edges; ++e) {
          index const box = n * student.positions() + p;
          auto const weight = static_cast<long double>(o.weights[by_edge ? box * o.edges + e : box]);
          total += weight;
          if (weight > 0) sum += weight * of_edge(student, teacher, n, p, e * bins, bins, o.temperature);
        }
      }
    }
    auto const temperature = static_cast<long double>(o.temperature);
    if (o.scale_by_temperature_squared) sum *= temperature * temperature;
    if (o.reduce == localization_reduction::sum || total == 0) return sum;
    return sum /
           (o.reduce == localization_reduction::edge_mean ? total : total * static_cast<long double>(bins));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    localization_options const& o = s.options;
    auto const bins = static_cast<double>(student.channels() / o.edges);
    auto const edges = static_cast<double>(student.samples() * student.positions() * o.edges);
    double const f = o.scale_by_temperature_squared ? o.temperature * o.temperature : 1;
    double divisor = edges;
    if (o.reduce == localization_reduction::sum) divisor = 1;
    if (o.reduce == localization_reduction::bin_mean) divisor = edges * bins;
    return {static_cast<double>(of(student, teacher, s)) + f * (1 + std::log(bins)) * edges / divisor,
            f / (o.temperature * divisor)};
  }

 private:
  static long double of_edge(exact_map const& student, exact_map const& teacher, index n, index position,
                             index first, index bins, double temperature) {
    auto const log_sum = [&](exact_map const& x) {
      long double sum = 0;
      for (index c = first; c < first + bins; ++c)
        sum += std::exp(x.at(n, c, position) / static_cast<long double>(temperature));
      return std::log(sum);
    };
    long double const of_student = log_sum(student), of_teacher = log_sum(teacher);
    long double sum = 0;
    for (index c = first; c < first + bins; ++c) {
      long double const log_q =
          student.at(n, c, position) / static_cast<long double>(temperature) - of_student;
      long double const log_p =
          teacher.at(n, c, position) / static_cast<long double>(temperature) - of_teacher;
      sum += std::exp(log_p) * (log_p - log_q);
    }
    return sum;
  }
};

}  // namespace distil::testing
