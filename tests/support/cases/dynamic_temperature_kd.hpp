#pragma once

#include "../reference_row_temperature.hpp"
#include "cross_entropy.hpp"
#include "distil/response/dynamic_temperature_kd.hpp"

namespace distil::testing {

struct dynamic_setting : setting {
  double vanilla_weight = 1.0;
};

struct dynamic_temperature_kd_case {
  static constexpr char const* name = "dynamic_temperature_kd";
  static constexpr error_bound bound = dynamic_temperature_kd_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool moves_with_a_constant = true;
  static constexpr bool counts_without_teacher = true;
  static constexpr bool is_map = false;
  static std::vector<dynamic_setting> settings() {
    return {{{.label = "DTKD", .temperature = 4, .soft_weight = 3, .hard_weight = 1}, 1.0},
            {{.label = "the dynamic term alone", .temperature = 1, .soft_weight = 1, .hard_weight = 0}, 0.0},
            {{.label = "no T^2", .temperature = 2, .squared = false, .soft_weight = 0.5, .hard_weight = 0.25},
             2.0}};
  }
  static dynamic_temperature_kd_options options(dynamic_setting const& s, row_options const& rows,
                                                bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .dynamic_weight = s.soft_weight,
            .vanilla_weight = s.vanilla_weight,
            .hard_weight = s.hard_weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, dynamic_setting const& s, row_options const& rows) {
    return dynamic_temperature_kd(policy, b.student.view(), b.teacher.view(), b.labels,
                                  options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, dynamic_setting const& s,
                              row_options const& rows, bool accumulate = false) {
    return dynamic_temperature_kd.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                                            options(s, rows, accumulate));
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, dynamic_setting const& s) {
    using number = long double;
    number const T = s.temperature, weight = s.soft_weight, vanilla_weight = s.vanilla_weight;
    number const top_z = *std::max_element(z.begin(), z.end()), top_t = *std::max_element(t.begin(), t.end());
    bool const shared = top_z > 0 && top_t > 0;
    number const sum = top_z + top_t;
    number const R = shared ? 2 * T * top_z / sum : T, S = shared ? 2 * T * top_t / sum : T;
    number const slope = shared ? 2 * T * top_t / (sum * sum) : 0;  // of R; that of S is its negative
    number const f = s.squared ? R * S : 1, vanilla_factor = s.squared ? T * T : 1;
    auto const dynamic = reference::forward_kl_at(z, t, R, S);
    auto const vanilla = reference::forward_kl_at(z, t, T, T);
    truth result{.gradient = exact_row(z.size(), 0)};
    auto const hard = reference::hard_part<number>(z, cross_entropy_case::target(z, label, s), s.hard_weight,
                                                   result.gradient);
    number const by_student = (s.squared ? S * dynamic.value : 0) + f * dynamic.by_student;
    number const by_teacher = (s.squared ? R * dynamic.value : 0) + f * dynamic.by_teacher;
    number const moving = std::isfinite(dynamic.value) ? slope * (by_student - by_teacher) : 0;
    number const rounding = slope * ((s.squared ? (R + S) * std::abs(dynamic.value) : 0) +
                                     f * (dynamic.student_rounding + dynamic.teacher_rounding));
    result.value_scale = static_cast<double>(s.hard_weight + vanilla_weight * vanilla_factor + weight * f) *
                         size_of_classes(z);
    result.gradient_scale = static_cast<double>(s.hard_weight + vanilla_weight * vanilla_factor / T +
                                                weight * (f / R + (std::isfinite(rounding) ? rounding : 0)));
    if (dynamic.weight == 0 || hard.weight == 0) {
      result.gradient = exact_row(z.size(), 0);
      return result;
    }
    result.weight = 1;
    result.value = hard.value;
    if (weight > 0) result.value += weight * f * dynamic.value;
    if (vanilla_weight > 0) result.value += vanilla_weight * vanilla_factor * vanilla.value;
    number ties = 0;
    for (number const logit : z) ties += logit == top_z ? 1 : 0;
    for (std::size_t c = 0; c < z.size(); ++c) {
      result.gradient[c] +=
          weight * f * dynamic.gradient[c] + vanilla_weight * vanilla_factor * vanilla.gradient[c];
      if (z[c] == top_z) result.gradient[c] += weight * moving / ties;
    }
    return result;
  }
};

}  // namespace distil::testing
