#pragma once

#include "distil/response/prediction_correlation.hpp"

#include "../batch_suite.hpp"
#include "coupled_case.hpp"

namespace distil::testing {

struct correlation_setting : setting {
  double inter_class_weight = 1.0;
  double intra_class_weight = 1.0;
  double floor = 0.0;
};

struct prediction_correlation_case
    : coupled_case<prediction_correlation_case, distil::prediction_correlation> {
  static constexpr char const* name = "prediction_correlation";
  static constexpr error_bound bound = prediction_correlation_loss::bound;
  static std::vector<correlation_setting> settings() {
    return {{{.label = "T=1"}},
            {{.label = "rows, T=4", .temperature = 4}, 2.0, 0.0},
            {{.label = "columns, T=2.5 without T^2", .temperature = 2.5, .squared = false}, 0.0, 1.5},
            {{.label = "with a floor"}, 1.0, 1.0, 1e-3}};
  }
  static prediction_correlation_options options(correlation_setting const& s, coupled_rows const& rows,
                                                bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .inter_class_weight = s.inter_class_weight,
            .intra_class_weight = s.intra_class_weight,
            .norm_floor = s.floor,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }

  /// 1 - rho of two vectors under weights that sum to `total`, its derivative, and what its rounding is relative to.
  struct pearson {
    long double loss = 1;
    exact_row slope;
    double condition = 0, steepness = 0;
  };
  static pearson correlate(exact_row const& a, exact_row const& b, exact_row const& weight,
                           long double floor) {
    pearson result;
    result.slope.assign(a.size(), 0);
    long double total = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0, raw_a = 0, raw_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += weight[i];
    for (std::size_t i = 0; i < a.size(); ++i)
      mean_a += weight[i] / total * a[i], mean_b += weight[i] / total * b[i];
    for (std::size_t i = 0; i < a.size(); ++i) {
      aa += weight[i] * (a[i] - mean_a) * (a[i] - mean_a),
          bb += weight[i] * (b[i] - mean_b) * (b[i] - mean_b);
      ab += weight[i] * (a[i] - mean_a) * (b[i] - mean_b);
      raw_a += weight[i] * a[i] * a[i], raw_b += weight[i] * b[i] * b[i];
    }
    if (!(std::sqrt(aa) > 1e-15L * mean_a * std::sqrt(total)) ||
        !(std::sqrt(bb) > 1e-15L * mean_b * std::sqrt(total))) {
      return result;
    }
    long double const norms = std::sqrt(aa * bb), rho = ab / (norms + floor);
    result.loss = 1 - rho;
    for (std::size_t i = 0; i < a.size(); ++i) {
      result.slope[i] =
          -weight[i] * ((b[i] - mean_b) / (norms + floor) -
                        rho * std::sqrt(bb) * (a[i] - mean_a) / std::sqrt(aa) / (norms + floor));
    }
    result.condition = static_cast<double>(std::max(std::sqrt(raw_a / aa), std::sqrt(raw_b / bb)));
    result.steepness = static_cast<double>(1 / std::sqrt(aa));
    return result;
  }

  static coupled_truth of(exact_matrix const& z, exact_matrix const& t,
                          std::vector<long double> const& weights, correlation_setting const& s) {
    auto batch = distributions(z, t, weights, s.temperature);
    long double const f = temperature_factor(s);
    std::size_t const rows = z.size(), classes = z[0].size();
    coupled_truth result = batch.empty_truth();
    if (batch.total == 0) return result;
    exact_matrix g(rows, exact_row(classes, 0));
    exact_row const ones(classes, 1);
    std::vector<double> size(rows, 0);
    for (std::size_t r = 0; r < rows; ++r) {
      if (weights[r] == 0) continue;
      long double const share = f * s.inter_class_weight * weights[r] / batch.total;
      pearson const one = correlate(batch.q[r], batch.p[r], ones, s.floor);
      result.value += share * one.loss;
      result.value_scale = std::max(result.value_scale, one.condition);
      for (std::size_t c = 0; c < classes; ++c) {
        g[r][c] += share * one.slope[c];
        size[r] +=
            static_cast<double>(batch.q[r][c]) * static_cast<double>(share) * one.steepness * one.condition;
      }
    }
    for (std::size_t c = 0; c < classes; ++c) {
      exact_row a(rows), b(rows);
      for (std::size_t r = 0; r < rows; ++r) a[r] = batch.q[r][c], b[r] = batch.p[r][c];
      pearson const one = correlate(a, b, weights, s.floor);
      long double const share = f * s.intra_class_weight / static_cast<long double>(classes);
      result.value += share * one.loss;
      result.value_scale = std::max(result.value_scale, one.condition);
      for (std::size_t r = 0; r < rows; ++r) {
        g[r][c] += share * one.slope[r];
        size[r] += static_cast<double>(a[r] * share * std::sqrt(weights[r])) * one.steepness * one.condition;
      }
    }
    result.value_scale *= static_cast<double>(f) * (s.inter_class_weight + s.intra_class_weight);
    for (std::size_t r = 0; r < rows; ++r) {
      if (weights[r] == 0) continue;
      result.gradient[r] = reference::softmax_pull_back(z[r], g[r], s.temperature);
      result.gradient_scale[r] = size[r] / s.temperature;
    }
    return result;
  }
};

}  // namespace distil::testing
