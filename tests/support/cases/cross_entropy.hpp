#pragma once

#include "distil/response/cross_entropy.hpp"

#include "case.hpp"

namespace distil::testing {

struct cross_entropy_case {
  static constexpr char const* name = "cross_entropy";
  static constexpr error_bound bound = cross_entropy_loss::bound;
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "plain", .squared = false},
            {.label = "smoothed over all", .squared = false, .label_smoothing = 0.1},
            {.label = "smoothed over others",
             .squared = false,
             .label_smoothing = 0.25,
             .smoothing_over = smoothing::other_classes},
            {.label = "T=2.5", .temperature = 2.5, .squared = false, .label_smoothing = 0.1},
            {.label = "T=0.5 with T^2", .temperature = 0.5, .squared = true}};
  }
  static cross_entropy_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                       bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .label_smoothing = s.label_smoothing,
            .smoothing_over = s.smoothing_over,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return distil::cross_entropy(policy, b.student.view(), b.labels, options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return distil::cross_entropy.with_grad(policy, b.student.view(), b.labels, gradient,
                                           options(s, rows, slope, accumulate));
  }
  static reference::target<long double> target(exact_row const& z, std::int64_t label, setting const& s) {
    auto const convention = s.smoothing_over == smoothing::all_classes
                                ? reference::smoothing_convention::all_classes
                                : reference::smoothing_convention::other_classes;
    return reference::label_target<long double>(
        z.size(), label, {.label_smoothing = s.label_smoothing, .convention = convention});
  }
  static truth of(exact_row const& z, exact_row const&, std::int64_t label, setting const& s) {
    long double const T = s.temperature;
    long double const f = temperature_factor(s);
    auto const wanted = target(z, label, s);
    exact_row tempered = z;
    for (long double& entry : tempered) entry /= T;
    auto const one = reference::cross_entropy(tempered, wanted);
    truth result{.value = f * one.value, .weight = one.weight, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / T);
    if (one.weight == 0) return result;
    result.gradient = reference::cross_entropy_gradient(z, wanted, T);
    long double moment = 0;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (result.gradient[c] != 0) moment += result.gradient[c] * z[c];
    }
    result.by_temperature = -f * moment / T + (s.squared ? 2 * T * one.value : 0.0L);
    for (long double& entry : result.gradient) entry *= f;
    return result;
  }
};

}  // namespace distil::testing
