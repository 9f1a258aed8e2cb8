#pragma once

#include "case.hpp"
#include "distil/response/divergence.hpp"

namespace distil::testing {

/// A divergence between a teacher and a student: everything but the reference.
template <auto const& loss>
struct divergence_case {
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() { return temperatures(); }

  static divergence_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                    bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(), b.teacher.view(), options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                          options(s, rows, slope, accumulate));
  }

  /// From the divergence at T to the loss with its factor.
  template <class Value, class Gradient, class Slope>
  static truth scaled(exact_row const& z, exact_row const& t, setting const& s, Value value,
                      Gradient gradient, Slope slope) {
    long double const T = s.temperature;
    long double const f = temperature_factor(s);
    auto const p = reference::from_logits(t, T);
    auto const q = reference::from_logits(z, T);
    auto const one = value(p, q);
    truth result{.value = f * one.value, .weight = one.weight, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / T);
    if (one.weight == 0) return result;
    long double largest = 0;
    for (auto const* const distribution : {&p.probability, &q.probability}) {
      for (long double const probability : *distribution) largest = std::max(largest, probability);
    }
    if (std::isfinite(largest)) result.gradient_scale *= static_cast<double>(largest);
    result.gradient = gradient(z, p, T);
    for (long double& entry : result.gradient) entry *= f;
    result.by_temperature =
        f * slope(p, q, reference::teacher_form::logits, T) + (s.squared ? 2 * T * one.value : 0.0L);
    return result;
  }
};

}  // namespace distil::testing
