#pragma once

#include "case.hpp"

namespace distil::testing {

/// `softmax` and `log_softmax` through a linear function of their output: the teacher stands for the upstream
/// gradient, so that one number and its gradient test the map and its pull-back.
template <auto const& map, bool logarithmic>
struct map_case {
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool call_allocates =
      true;                             // an output; the map by itself is tried in the test of softmax
  static constexpr bool is_map = true;  // from logits to a matrix: tested through a linear function of it
  static std::vector<setting> settings() {
    return {{.label = "T=1"}, {.label = "T=4", .temperature = 4}, {.label = "T=0.5", .temperature = 0.5}};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    owned_matrix<double> output(b.rows, b.columns, layout::row_major);
    map(policy, b.student.view(), output.view(), {.temperature = s.temperature});
    return reduced(b, output, rows);
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    owned_matrix<double> output(b.rows, b.columns, layout::row_major);
    owned_matrix<double> upstream(b.rows, b.columns, layout::row_major);
    map(policy, b.student.view(), output.view(), {.temperature = s.temperature});
    auto const [factors, weight] = row_factors(b, rows);
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) {
        upstream.set(r, c, factors[static_cast<std::size_t>(r)] * b.teacher.at(r, c));
      }
    }
    map.pull_back(policy, output.view(), upstream.view(), gradient,
                  {.temperature = s.temperature, .accumulate = accumulate});
    return reduced(b, output, rows);
  }
  template <class Batch>
  static std::pair<std::vector<double>, double> row_factors(Batch const& b, row_options const& rows) {
    std::vector<double> factors;
    double weight = 0;
    for (index r = 0; r < b.rows; ++r) {
      bool const counts = !reference::fully_masked(b.student.template row<double>(r)) && rows.weights[r] > 0;
      factors.push_back(counts ? rows.weights[r] : 0.0);
      weight += factors.back();
    }
    double const divisor = rows.reduce == reduction::sum ? 1.0
                           : rows.normalizer > 0         ? rows.normalizer
                                                         : weight;
    for (double& factor : factors) factor = divisor > 0 ? factor / divisor : 0.0;
    return {factors, weight};
  }
  template <class Batch>
  static loss_value reduced(Batch const& b, owned_matrix<double> const& output, row_options const& rows) {
    auto const [factors, weight] = row_factors(b, rows);
    double sum = 0;
    for (index r = 0; r < b.rows; ++r) {
      double value = 0;
      for (index c = 0; c < b.columns; ++c) {
        bool const masked = b.student.at(r, c) == -simd::infinity<double>;
        if (!masked) value += b.teacher.at(r, c) * output.at(r, c);
      }
      double const factor = factors[static_cast<std::size_t>(r)];
      if (!rows.values.empty()) rows.values[static_cast<std::size_t>(r)] = factor == 0 ? 0 : value;
      if (factor != 0) sum += factor * value;
    }
    return {sum, weight};
  }
  static truth of(exact_row const& z, exact_row const& g, std::int64_t, setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    if (reference::fully_masked(z)) return result;
    result.weight = 1;
    exact_row upstream = g;
    double size = 0;
    auto const y =
        logarithmic ? reference::log_softmax(z, s.temperature) : reference::softmax(z, s.temperature);
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (std::isinf(z[c])) {
        upstream[c] = 0;
        continue;
      }
      result.value += g[c] * y[c];
      size += static_cast<double>(std::abs(g[c]) * (1 + std::abs(y[c])));
    }
    result.gradient = logarithmic ? reference::log_softmax_pull_back(z, upstream, s.temperature)
                                  : reference::softmax_pull_back(z, upstream, s.temperature);
    result.value_scale = size;
    result.gradient_scale = size / s.temperature;
    return result;
  }
};

}  // namespace distil::testing
