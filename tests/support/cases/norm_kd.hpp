#pragma once

#include "../reference_row_temperature.hpp"
#include "cross_entropy.hpp"
#include "distil/response/norm_kd.hpp"

namespace distil::testing {

struct norm_kd_case {
  static constexpr char const* name = "norm_kd";
  static constexpr error_bound bound = norm_kd_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool counts_without_teacher = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "NormKD", .temperature = 2},
            {.label = "half", .temperature = 0.5, .soft_weight = 1.0, .hard_weight = 0.7},
            {.label = "without the factor", .temperature = 1.25, .squared = false, .soft_weight = 0.5}};
  }
  static norm_kd_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                 bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .soft_weight = s.soft_weight,
            .hard_weight = s.hard_weight,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return norm_kd(policy, b.student.view(), b.teacher.view(), b.labels, options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return norm_kd.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                             options(s, rows, slope, accumulate));
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, setting const& s) {
    using number = long double;
    number const T = s.temperature, weight = s.soft_weight;
    auto const of_student = reference::spread_of(z);
    number const R = T * reference::size_of_spread(of_student, 0);
    number const S = T * reference::size_of_spread(reference::spread_of(t), 0);
    number const f = s.squared ? S * S : 1;
    auto const soft = reference::forward_kl_at(z, t, R, S);
    truth result{.gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(s.hard_weight + weight * f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(s.hard_weight + weight * f / R);
    auto const hard = reference::hard_part<number>(z, cross_entropy_case::target(z, label, s), s.hard_weight,
                                                   result.gradient);
    if (soft.weight == 0 || hard.weight == 0) {
      result.gradient = exact_row(z.size(), 0);
      return result;
    }
    result.weight = 1;
    result.value = hard.value + weight * f * soft.value;
    result.by_temperature =
        weight * f * (R * soft.by_student + S * soft.by_teacher + (s.squared ? 2 * soft.value : 0)) / T;
    for (std::size_t c = 0; c < z.size(); ++c) {
      result.gradient[c] += weight * f * soft.gradient[c];
      if (reference::is_masked(z[c]) || !(of_student.deviation > 0)) continue;
      number const moving = T * (z[c] - of_student.mean) / ((of_student.count - 1) * of_student.deviation);
      result.gradient[c] += weight * f * soft.by_student * moving;
    }
    return result;
  }
};

}  // namespace distil::testing
