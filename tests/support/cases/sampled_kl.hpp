#pragma once

#include "case.hpp"
#include "distil/response/sampled_kl.hpp"

namespace distil::testing {

struct sampled_kl_setting : setting {
  kl_estimator estimator = kl_estimator::k2;
  double limit = 10.0;
  double advantage_coefficient = 1.0;
};

/// Estimators by their definitions, in long double.
struct sampled_kl_case {
  static constexpr char const* name = "sampled_kl";
  static constexpr error_bound bound = sampled_kl_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  static std::vector<sampled_kl_setting> settings() {
    return {{{.label = "k2"}, kl_estimator::k2},
            {{.label = "k1"}, kl_estimator::k1},
            {{.label = "k3"}, kl_estimator::k3},
            {{.label = "clipped k3"}, kl_estimator::clipped_k3, 1.5},
            {{.label = "absolute, T=4", .temperature = 4}, kl_estimator::absolute}};
  }
  static sampled_kl_options options(sampled_kl_setting const& s, row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .estimator = s.estimator,
            .limit = s.limit,
            .advantage_coefficient = s.advantage_coefficient,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, sampled_kl_setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return distil::sampled_kl(policy, b.student.view(), b.teacher.view(), b.labels, options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, sampled_kl_setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return distil::sampled_kl.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                                        options(s, rows, accumulate));
  }

  /// Value, d value / d log q, and the size of its second derivative.
  struct estimate {
    long double value, slope, curvature;
  };
  static estimate of(long double log_p, long double log_q, sampled_kl_setting const& s) {
    long double const r = log_p - log_q;
    long double const k3 = std::expm1(r) - r;
    switch (s.estimator) {
      case kl_estimator::k1:
        return {log_q - log_p, 1, 0};
      case kl_estimator::k2:
        return {r * r / 2, log_q - log_p, 1};
      case kl_estimator::clipped_k3:
        if (k3 > s.limit) return {s.limit, 0, 0};
        [[fallthrough]];
      case kl_estimator::k3:
        return {k3, 1 - std::exp(r), std::exp(r)};
      case kl_estimator::absolute:
        return {std::abs(r), r > 0 ? -1.0L : r < 0 ? 1.0L : 0.0L, 0};
      case kl_estimator::policy_gradient:
        return {-s.advantage_coefficient * r * log_q, -s.advantage_coefficient * r, s.advantage_coefficient};
    }
    return {};
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t id, sampled_kl_setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    if (id == -100 || reference::fully_masked(z) || reference::fully_masked(t)) return result;
    long double const T = s.temperature;
    auto const at = static_cast<std::size_t>(id);
    auto const q = reference::softmax(z, T);
    estimate const one = of(reference::log_softmax(t, T)[at], reference::log_softmax(z, T)[at], s);
    result.weight = 1;
    result.value = one.value;
    for (std::size_t c = 0; c < z.size(); ++c) {
      result.gradient[c] = one.slope * ((c == at ? 1 : 0) - q[c]) / T;
    }
    double const slope = static_cast<double>(std::abs(one.slope));
    // The advantage is held fixed in the gradient, but rounds with the rest in the value.
    double const moved = s.estimator == kl_estimator::policy_gradient
                             ? slope + std::abs(s.advantage_coefficient *
                                                static_cast<double>(reference::log_softmax(z, T)[at]))
                             : slope;
    result.value_scale = moved * size_of_classes(z);
    result.gradient_scale = (slope + static_cast<double>(one.curvature) * size_of_classes(z)) / s.temperature;
    return result;
  }
};

}  // namespace distil::testing
