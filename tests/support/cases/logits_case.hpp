#pragma once

#include "case.hpp"

namespace distil::testing {

/// A function of the logits alone.
template <auto const& loss>
struct logits_case {
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "T=1"}, {.label = "T=4", .temperature = 4}, {.label = "T=0.5", .temperature = 0.5}};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(),
                {.temperature = s.temperature, .rows = rows, .temperature_gradient = slope});
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), gradient,
                          {.temperature = s.temperature,
                           .rows = rows,
                           .accumulate = accumulate,
                           .temperature_gradient = slope});
  }
};

}  // namespace distil::testing
