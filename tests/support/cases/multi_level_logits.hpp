#pragma once

#include "distil/response/multi_level_logits.hpp"

#include "gram_case.hpp"

namespace distil::testing {

struct multi_level_setting : setting {
  std::vector<double> temperatures = {1.5, 4};
  double sample_weight = 1, class_weight = 1, batch_weight = 1;
};

struct multi_level_logits_case : coupled_case<multi_level_logits_case, distil::multi_level_logits> {
  static constexpr char const* name = "multi_level_logits";
  static constexpr error_bound bound = multi_level_logits_loss::bound;
  static std::vector<multi_level_setting> settings() {
    return {{{.label = "two temperatures"}},
            {{.label = "one, weighted, without T^2", .squared = false}, {3}, 0.5, 2, 0.25},
            {{.label = "classes alone"}, {2, 1}, 0, 1, 0},
            {{.label = "samples alone"}, {2, 1}, 1, 0, 0}};
  }
  static multi_level_logits_options options(multi_level_setting const& s, coupled_rows const& rows,
                                            bool accumulate) {
    return {.temperatures = s.temperatures,
            .scale_by_temperature_squared = s.squared,
            .sample_weight = s.sample_weight,
            .class_weight = s.class_weight,
            .batch_weight = s.batch_weight,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  static coupled_truth of(exact_matrix const& z, exact_matrix const& t,
                          std::vector<long double> const& weights, multi_level_setting const& s) {
    coupled_truth result;
    for (long double const temperature : s.temperatures) {
      coupled_truth one = gram_truth(z, t, weights, temperature, s.class_weight, s.batch_weight);
      auto const batch = distributions(z, t, weights, temperature);
      long double const f = s.sample_weight * (s.squared ? temperature * temperature : 1);
      one.value_scale += static_cast<double>(f) * size_of_classes(z.empty() ? exact_row(1) : z[0]);
      for (std::size_t r = 0; r < z.size(); ++r) {
        if (weights[r] == 0 || s.sample_weight == 0) continue;
        auto const p = reference::from_logits(t[r], temperature),
                   q = reference::from_logits(z[r], temperature);
        long double const share = f * weights[r] / batch.total;
        one.value += share * reference::forward_kl(p, q).value;
        auto const slope = reference::forward_kl_gradient(z[r], p, temperature);
        for (std::size_t c = 0; c < slope.size(); ++c) one.gradient[r][c] += share * slope[c];
        one.gradient_scale[r] += static_cast<double>(share / temperature);
      }
      if (result.gradient.empty()) {
        result = one;
        continue;
      }
      result.value += one.value;
      result.value_scale += one.value_scale;
      for (std::size_t r = 0; r < z.size(); ++r) {
        result.gradient_scale[r] += one.gradient_scale[r];
        for (std::size_t c = 0; c < z[r].size(); ++c) result.gradient[r][c] += one.gradient[r][c];
      }
    }
    return result;
  }
};

}  // namespace distil::testing
