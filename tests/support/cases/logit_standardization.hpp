#pragma once

#include "../reference_standardization.hpp"
#include "case.hpp"
#include "distil/response/logit_standardization.hpp"

namespace distil::testing {

/// Of forward KL.
struct logit_standardization_case {
  static constexpr char const* name = "logit_standardization";
  static constexpr error_bound bound = decltype(standardized(forward_kl))::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "LSKD", .temperature = 2},
            {.label = "T=1"},
            {.label = "T=0.5", .temperature = 0.5},
            {.label = "T=1.25 without T^2", .temperature = 1.25, .squared = false}};
  }

  static standardization_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                         bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return standardized(forward_kl)(policy, b.student.view(), b.teacher.view(),
                                    options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return standardized(forward_kl)
        .with_grad(policy, b.student.view(), b.teacher.view(), gradient, options(s, rows, slope, accumulate));
  }

  /// The divergence of standardized rows, with nothing known of temperatures of rows.
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    long double const epsilon = standardization_options{}.epsilon, T = s.temperature;
    long double const f = temperature_factor(s);
    exact_row const standard = reference::standardized(z, epsilon);
    auto const p = reference::from_logits(reference::standardized(t, epsilon), T);
    auto const q = reference::from_logits(standard, T);
    auto const one = reference::forward_kl(p, q);
    truth result{.value = f * one.value, .weight = one.weight, .gradient = exact_row(z.size(), 0)};
    long double const size = reference::size_of_spread(reference::spread_of(z), epsilon);
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / (T * size));
    if (one.weight == 0) return result;
    long double largest = 0;
    for (auto const* const distribution : {&p.probability, &q.probability}) {
      for (long double const probability : *distribution) largest = std::max(largest, probability);
    }
    if (std::isfinite(largest)) result.gradient_scale *= static_cast<double>(largest);
    exact_row h = reference::forward_kl_gradient(standard, p, T);
    for (std::size_t c = 0; c < z.size(); ++c) h[c] = reference::is_masked(z[c]) ? 0 : f * h[c];
    if (std::isinf(one.value)) {  // at fixed temperatures
      for (long double& entry : h) entry /= size;
      result.gradient = h;
    } else {
      result.gradient = reference::standardization_pull_back(z, h, epsilon);
    }
    result.by_temperature =
        f * reference::forward_kl_by_temperature(p, q, reference::teacher_form::logits, T) +
        (s.squared ? 2 * T * one.value : 0.0L);
    return result;
  }
};

}  // namespace distil::testing
