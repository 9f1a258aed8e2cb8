#pragma once

#include "distil/response/temperature_matching.hpp"

#include "labelled_case.hpp"

namespace distil::testing {

struct matching_setting : setting {
  matching_weight weight = matching_weight::sum_of_powers;
};

/// The setting's temperature is the teacher's.
struct temperature_matching_case {
  static constexpr char const* name = "temperature_matching";
  static constexpr error_bound bound = temperature_matching_definition::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  static std::vector<matching_setting> settings() {
    return {{{.label = "weighted", .temperature = 4}},
            {{.label = "plain", .temperature = 4}, matching_weight::one},
            {{.label = "T=1"}},
            {{.label = "sharper teacher", .temperature = 0.5}}};
  }
  static temperature_matching_options options(matching_setting const& s, row_options const& rows,
                                              bool accumulate) {
    return {.teacher_temperature = s.temperature, .weight = s.weight, .rows = rows, .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, matching_setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return temperature_matching(policy, b.student.view(), b.teacher.view(), options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, matching_setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return temperature_matching.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                                          options(s, rows, accumulate));
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, matching_setting const& s) {
    if (reference::fully_masked(z) || reference::fully_masked(t)) return {.gradient = exact_row(z.size(), 0)};
    long double w = s.weight == matching_weight::one ? 1 : 0;
    if (w == 0) {
      for (long double const log_p : reference::log_softmax(t)) w += std::exp(log_p / s.temperature);
    }
    auto const p = reference::from_logits(t, s.temperature);
    truth result{.value = w * reference::forward_kl(p, reference::from_logits(z)).value,
                 .weight = 1,
                 .gradient = reference::forward_kl_gradient(z, p)};
    bool const weighs = s.weight == matching_weight::sum_of_powers;
    double const size = static_cast<double>(w) * (weighs ? std::max(1.0, 1 / s.temperature) : 1.0);
    double const magnitude = std::isfinite(result.value) ? static_cast<double>(result.value) : 0.0;
    result.value_scale = size * size_of_classes(z) + (size / static_cast<double>(w) - 1) * magnitude;
    result.gradient_scale = size;
    for (long double& entry : result.gradient) entry *= w;
    return result;
  }
};

}  // namespace distil::testing
