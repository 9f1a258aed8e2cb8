#pragma once

#include "distil/response/binary_kd.hpp"

#include "binary_cross_entropy.hpp"

namespace distil::testing {

struct binary_kd_case {
  static constexpr char const* name = "binary_kd";
  static constexpr error_bound bound = binary_kd_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static constexpr bool call_allocates = true;
  static constexpr bool moves_with_a_constant = true;
  static constexpr bool infinities_are_logits = true;

  static std::vector<element_setting> settings() {
    return {{{.label = "T=2", .temperature = 2}},
            {{.label = "sums of weighed elements", .soft_weight = 0.5, .hard_weight = 0.5},
             over_elements::row_sum,
             true,
             true},
            {{.label = "without T^2",
              .temperature = 2.5,
              .squared = false,
              .soft_weight = 1,
              .hard_weight = 0.25,
              .label_smoothing = 0.1},
             over_elements::row_mean,
             true,
             true}};
  }
  static binary_kd_options options(element_targets_of const& of, element_setting const& s,
                                   row_options const& rows, std::span<double> slope, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .positive_weight = of.positive_weight,
            .label_smoothing = s.label_smoothing,
            .elements = s.elements,
            .element_weights = of.weights,
            .soft_weight = s.soft_weight,
            .hard_weight = s.hard_weight,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, element_setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    element_targets_of const of(b, s, rows);
    return distil::binary_kd(policy, b.student.view(), b.teacher.view(), of.targets,
                             options(of, s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, element_setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    element_targets_of const of(b, s, rows);
    return distil::binary_kd.with_grad(policy, b.student.view(), b.teacher.view(), of.targets, gradient,
                                       options(of, s, rows, slope, accumulate));
  }

  /// KL of the outcomes of logits u and v, the teacher's, and its derivatives by them.
  struct divergence {
    long double value, by_student, by_teacher;

    divergence(long double u, long double v) {
      using elementwise::sigmoid, elementwise::softplus, elementwise::times;
      long double const p = sigmoid(v), other_p = sigmoid(-v);
      // log p = -softplus(-v); 0 log 0 = 0
      auto const part = [](long double share, long double log_of_teacher, long double log_of_student) {
        return times(share, log_of_teacher - log_of_student);
      };
      value = part(p, -softplus(-v), -softplus(-u)) + part(other_p, -softplus(v), -softplus(u));
      by_student = sigmoid(u) - p;
      by_teacher = times(p * other_p, v - u);
    }
  };

  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, element_setting const& s) {
    using of_label = element_targets_of;
    truth const hard = binary_cross_entropy_case::of(z, t, label, s);
    truth result{.weight = hard.weight, .gradient = hard.gradient};
    long double const T = s.temperature, hard_weight = s.hard_weight,
                      f = static_cast<long double>(s.soft_weight) * temperature_factor(s);
    auto const classes = static_cast<index>(z.size());
    long double count = 0, value = 0, moment = 0;
    for (index c = 0; c < classes; ++c) {
      if (of_label::target(c, classes, label, s) != of_label::ignored) count += 1;
    }
    long double const share = s.elements == over_elements::row_mean ? 1 / std::max(count, 1.0L) : 1;
    for (index c = 0; c < classes; ++c) {
      auto const at = static_cast<std::size_t>(c);
      result.gradient[at] *= hard_weight;
      if (of_label::target(c, classes, label, s) == of_label::ignored) continue;
      long double const w = share * static_cast<long double>(of_label::weight(c, classes, s));
      divergence const one(z[at] / T, t[at] / T);
      value += elementwise::times(w, one.value);
      result.gradient[at] += f * w * one.by_student / T;
      moment += elementwise::times(w * one.by_student, z[at] / T) +
                elementwise::times(w * one.by_teacher, t[at] / T);
    }
    result.value = hard_weight * hard.value + f * value;
    long double const slope_of_factor = s.squared ? 2 * T * static_cast<long double>(s.soft_weight) : 0;
    result.by_temperature = slope_of_factor * value - f * moment / T;
    double const size = s.hard_weight + static_cast<double>(f);
    result.value_scale = size * size_of_classes(z);
    result.gradient_scale = s.hard_weight * hard.gradient_scale + static_cast<double>(share * f / T);
    return result;
  }
};

}  // namespace distil::testing
