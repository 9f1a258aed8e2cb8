#pragma once

#include "distil/response/decoupled_kd.hpp"

#include "../finite_difference.hpp"
#include "labelled_case.hpp"

namespace distil::testing {

struct decoupled_setting : setting {
  double target_weight = 1, non_target_weight = 8;
};

struct decoupled_kd_case : labelled_case<decoupled_kd_case, distil::decoupled_kd> {
  static constexpr char const* name = "decoupled_kd";
  static constexpr error_bound bound = decoupled_kd_definition::bound;
  static constexpr bool has_temperature_gradient = true;

  static std::vector<decoupled_setting> settings() {
    return {{{.label = "mdistiller", .temperature = 4}},
            {{.label = "mmrazor"}, 1, 0.5},
            {{.label = "T=0.5", .temperature = 0.5}, 1, 1},
            {{.label = "without T^2", .temperature = 2.5, .squared = false}, 2, 3}};
  }
  static decoupled_kd_options options(decoupled_setting const& s, row_options const& rows,
                                      std::span<double> slope, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .target_weight = s.target_weight,
            .non_target_weight = s.non_target_weight,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }

  /// log of the label's probability and of all others', without rounding either to 0 or 1 first.
  static exact_row binary(exact_row const& logits, std::int64_t label, long double T) {
    exact_row const others = without(logits, label);
    long double const of_label = logits[static_cast<std::size_t>(label)] / T;
    if (others.empty() || reference::fully_masked(others)) return {0, -INFINITY};
    return reference::log_softmax(exact_row{of_label, reference::log_sum_exp(others, T)});
  }
  static long double value_at(exact_row const& z, exact_row const& t, std::int64_t label,
                              decoupled_setting const& s, long double T) {
    auto const b_q = reference::from_log_probabilities(binary(z, label, T));
    auto const b_p = reference::from_log_probabilities(binary(t, label, T));
    long double result = 0;
    if (s.target_weight != 0) result += s.target_weight * reference::forward_kl(b_p, b_q).value;
    exact_row const z_others = without(z, label), t_others = without(t, label);
    if (s.non_target_weight != 0 && !reference::fully_masked(t_others)) {
      auto const p = reference::from_logits(t_others, T);
      bool const unreachable = reference::fully_masked(z_others);
      result += s.non_target_weight *
                (unreachable ? static_cast<long double>(INFINITY)
                             : reference::forward_kl(p, reference::from_logits(z_others, T)).value);
    }
    return (s.squared ? T * T : 1) * result;
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, decoupled_setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    long double const T = s.temperature;
    double const f = temperature_factor(s) * (s.target_weight + s.non_target_weight);
    truth result{.value = value_at(z, t, label, s, T), .weight = 1};
    result.value_scale = f * size_of_classes(z);
    result.gradient_scale = f / s.temperature;
    long double const scale = static_cast<long double>(temperature_factor(s)) / T;
    long double const of_label =
        s.target_weight * (std::exp(binary(z, label, T)[0]) - std::exp(binary(t, label, T)[0]));
    auto const p = reference::softmax(without(t, label), T), q = reference::softmax(without(z, label), T);
    bool const has_rest = !reference::fully_masked(without(t, label));
    for (std::size_t i = 0; i < p.size(); ++i) {
      result.gradient.push_back(scale *
                                (s.non_target_weight * (has_rest ? q[i] - p[i] : 0) - of_label * q[i]));
    }
    result.gradient.insert(result.gradient.begin() + label, scale * of_label);
    result.by_temperature = reference::temperature_derivative(
        [&](long double moved) { return value_at(z, t, label, s, moved); }, T);
    return result;
  }
};

}  // namespace distil::testing
