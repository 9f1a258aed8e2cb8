#pragma once

#include "distil/response/normalized_kd.hpp"

#include "../finite_difference.hpp"
#include "labelled_case.hpp"

namespace distil::testing {

struct normalized_setting : setting {
  double non_target_weight = 1.5;
};

struct normalized_kd_case : labelled_case<normalized_kd_case, distil::normalized_kd> {
  static constexpr char const* name = "normalized_kd";
  static constexpr error_bound bound = normalized_kd_definition::bound;
  static constexpr bool has_temperature_gradient = true;

  static std::vector<normalized_setting> settings() {
    return {{{.label = "the paper's"}},
            {{.label = "T=4", .temperature = 4}, 0.5},
            {{.label = "T=0.5", .temperature = 0.5}},
            {{.label = "without T^2", .temperature = 2.5, .squared = false}, 3}};
  }
  static normalized_kd_options options(normalized_setting const& s, row_options const& rows,
                                       std::span<double> slope, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .non_target_weight = s.non_target_weight,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  static long double value_at(exact_row const& z, exact_row const& t, std::int64_t label,
                              normalized_setting const& s, long double T) {
    auto const y = static_cast<std::size_t>(label);
    long double const p_label = reference::softmax(t)[y];
    long double result = p_label == 0 ? 0 : -p_label * reference::log_softmax(z)[y];
    exact_row const z_others = without(z, label), t_others = without(t, label);
    if (!reference::fully_masked(t_others)) {
      result += s.non_target_weight * (s.squared ? T * T : 1) *
                (reference::fully_masked(z_others)
                     ? static_cast<long double>(INFINITY)
                     : reference::soft_cross_entropy(reference::from_logits(t_others, T),
                                                     reference::from_logits(z_others, T))
                           .value);
    }
    return result;
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, normalized_setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    long double const T = s.temperature;
    double const f = s.non_target_weight * temperature_factor(s);
    truth result{.value = value_at(z, t, label, s, T), .weight = 1, .gradient = reference::softmax(z)};
    result.value_scale = (1 + f) * size_of_classes(z);
    result.gradient_scale = 1 + f / s.temperature;
    auto const y = static_cast<std::size_t>(label);
    long double const p_label = reference::softmax(t)[y];
    result.gradient[y] -= 1;
    for (long double& entry : result.gradient) entry *= p_label;
    auto const p = reference::softmax(without(t, label), T), q = reference::softmax(without(z, label), T);
    bool const has_rest = !reference::fully_masked(without(t, label));
    for (std::size_t i = 0; i < z.size() && has_rest; ++i) {
      if (i != y) result.gradient[i] += f / T * (q[i - (i > y)] - p[i - (i > y)]);
    }
    result.by_temperature = reference::temperature_derivative(
        [&](long double moved) { return value_at(z, t, label, s, moved); }, T);
    return result;
  }
};

}  // namespace distil::testing
