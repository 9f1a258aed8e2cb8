#pragma once

#include "distil/response/learning_without_forgetting.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

/// Where the old network knows all classes: one that knows fewer is in the test of the loss.
struct learning_without_forgetting_case : divergence_case<learning_without_forgetting> {
  static constexpr char const* name = "learning_without_forgetting";
  static constexpr error_bound bound = learning_without_forgetting_loss::bound;

  static learning_without_forgetting_options options(setting const& s, row_options const& rows,
                                                     std::span<double> slope, bool accumulate) {
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
    return learning_without_forgetting(policy, b.student.view(), b.teacher.view(),
                                       options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return learning_without_forgetting.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                                                 options(s, rows, slope, accumulate));
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::soft_cross_entropy<long double>,
                  reference::forward_kl_gradient<long double>,
                  reference::soft_cross_entropy_by_temperature<long double>);
  }
};

}  // namespace distil::testing
