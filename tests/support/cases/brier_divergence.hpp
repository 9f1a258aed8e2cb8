#pragma once

#include "distil/response/brier_divergence.hpp"
#include "divergence_case.hpp"

namespace distil::testing {

struct brier_divergence_case : divergence_case<distil::brier_divergence> {
  static constexpr char const* name = "brier_divergence";
  static constexpr error_bound bound = brier_divergence_function::bound;
  /// At T = 4 the factor T^2 nearly takes out the temperature: the distance falls as its square.
  static std::vector<setting> settings() {
    return {{.label = "T=1"},
            {.label = "T=2", .temperature = 2},
            {.label = "T=0.5", .temperature = 0.5},
            {.label = "T=4 without T^2", .temperature = 4, .squared = false}};
  }

  using distribution = reference::distribution<long double>;

  static reference::row_loss<long double> squared_distance(distribution const& p, distribution const& q) {
    return reference::sum_over_classes(
        p, q, [](long double a, long double, long double b, long double) { return (a - b) * (a - b); });
  }
  static exact_row gradient(exact_row const& z, distribution const& p, long double T) {
    exact_row g = reference::softmax(z, T);
    for (std::size_t c = 0; c < g.size(); ++c) g[c] = 2 * (g[c] - p.probability[c]);
    return reference::softmax_pull_back(z, g, T);
  }
  /// The distance is the same from either side.
  static long double slope(distribution const& p, distribution const& q, reference::teacher_form,
                           long double T) {
    return reference::share_of_temperature(gradient(q.log_probability, p, 1), q, T) +
           reference::share_of_temperature(gradient(p.log_probability, q, 1), p, T);
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    truth result = scaled(z, t, s, squared_distance, gradient, slope);
    // Squares of probabilities: what rounds is as small as the largest of them.
    result.value_scale *= result.gradient_scale / static_cast<double>(temperature_factor(s) / s.temperature);
    return result;
  }
};

}  // namespace distil::testing
