#pragma once

#include "distil/response/sinkhorn.hpp"

#include "coupled_case.hpp"
#include "transport_reference.hpp"

namespace distil::testing {

struct sinkhorn_setting : setting {
  double epsilon = 0.1;
  int iterations = 20;
};

struct sinkhorn_case : coupled_case<sinkhorn_case, distil::sinkhorn> {
  static constexpr char const* name = "sinkhorn";
  static constexpr error_bound bound = sinkhorn_loss::bound;
  static std::vector<sinkhorn_setting> settings() {
    return {{{.label = "T=2", .temperature = 2, .squared = false}},
            {{.label = "one iteration, T=1", .squared = false}, 0.5, 1},
            {{.label = "a sharp plan, T^2", .temperature = 3}, 0.02, 5}};
  }
  static sinkhorn_options options(sinkhorn_setting const& s, coupled_rows const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .epsilon = s.epsilon,
            .iterations = s.iterations,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  static coupled_truth of(exact_matrix const& z, exact_matrix const& t,
                          std::vector<long double> const& weights, sinkhorn_setting const& s) {
    auto const batch = distributions(z, t, weights, s.temperature);
    coupled_truth result = batch.empty_truth();
    if (batch.total == 0) return result;
    long double const f = temperature_factor(s);
    std::size_t const rows = z.size(), classes = z[0].size();
    exact_row mass;
    for (long double const weight : weights) mass.push_back(weight / batch.total);
    exact_matrix cost(rows, exact_row(rows, 0));
    for (std::size_t a = 0; a < rows; ++a) {
      for (std::size_t b = 0; b < rows; ++b) {
        for (std::size_t c = 0; c < classes; ++c) cost[a][b] += std::abs(batch.q[b][c] - batch.p[a][c]);
      }
    }
    auto const plan = reference::transport(cost, mass, mass, s.epsilon, s.iterations);
    result.value = f * plan.value;
    double const condition = static_cast<double>(f) * (1 + 1 / s.epsilon);
    result.value_scale = condition;
    for (std::size_t b = 0; b < rows; ++b) {
      if (weights[b] == 0) continue;
      exact_row g(classes, 0);
      long double doubtful = 0, pull = 0;
      for (std::size_t a = 0; a < rows; ++a) {
        long double const slope = f * plan.by_cost[a][b];
        pull += std::abs(slope);
        for (std::size_t c = 0; c < classes; ++c) {
          long double const q = batch.q[b][c], p = batch.p[a][c];
          g[c] += q > p ? slope : q < p ? -slope : 0;
          if (std::abs(q - p) < 2e-6L * (q + p)) doubtful += 2 * q * std::abs(slope);
        }
      }
      result.gradient[b] = reference::softmax_pull_back(z[b], g, s.temperature);
      result.gradient_scale[b] = (static_cast<double>(mass[b] + pull) * condition +
                                  static_cast<double>(doubtful) / std::numeric_limits<float>::epsilon()) /
                                 s.temperature;
    }
    return result;
  }
};

}  // namespace distil::testing
