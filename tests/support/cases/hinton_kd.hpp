#pragma once

#include "distil/response/hinton_kd.hpp"

#include "cross_entropy.hpp"

namespace distil::testing {

struct hinton_kd_case {
  static constexpr char const* name = "hinton_kd";
  static constexpr error_bound bound = hinton_kd_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool counts_without_teacher = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "mdistiller", .temperature = 4},
            {.label = "equal weights, T=1", .soft_weight = 0.5, .hard_weight = 0.5},
            {.label = "T=3", .temperature = 3},
            {.label = "independent weights",
             .temperature = 2,
             .soft_weight = 1.0,
             .hard_weight = 0.8,
             .label_smoothing = 0.1},
            {.label = "without T^2",
             .temperature = 2.5,
             .squared = false,
             .soft_weight = 0.7,
             .hard_weight = 0.3}};
  }
  static hinton_kd_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                   bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .soft_weight = s.soft_weight,
            .hard_weight = s.hard_weight,
            .label_smoothing = s.label_smoothing,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return distil::hinton_kd(policy, b.student.view(), b.teacher.view(), b.labels,
                             options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return distil::hinton_kd.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                                       options(s, rows, slope, accumulate));
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, setting const& s) {
    long double const T = s.temperature;
    auto const wanted = cross_entropy_case::target(z, label, s);
    auto const p = reference::from_logits(t, T);
    reference::hinton_options<long double> const options{T, s.soft_weight, s.hard_weight, s.squared};
    auto const one = reference::hinton_kd(z, p, wanted, options);
    double const f = temperature_factor(s);
    return {.value = one.value,
            .weight = one.weight,
            .gradient = reference::hinton_kd_gradient(z, p, wanted, options),
            .by_temperature =
                reference::hinton_kd_by_temperature(z, p, reference::teacher_form::logits, wanted, options),
            .value_scale = (s.hard_weight + s.soft_weight * f) * size_of_classes(z),
            .gradient_scale = s.hard_weight + s.soft_weight * f / s.temperature};
  }
};

}  // namespace distil::testing
