#pragma once

#include "distil/response/weighted_soft_label.hpp"

#include "decoupled_kd.hpp"

namespace distil::testing {

struct weighted_soft_label_case : labelled_case<weighted_soft_label_case, distil::weighted_soft_label> {
  static constexpr char const* name = "weighted_soft_label";
  static constexpr error_bound bound = weighted_soft_label_definition::bound;

  static std::vector<setting> settings() {
    return {{.label = "the paper's", .temperature = 2},
            {.label = "T=1"},
            {.label = "T=0.5", .temperature = 0.5},
            {.label = "T=2.5 without T^2", .temperature = 2.5, .squared = false}};
  }
  static weighted_soft_label_options options(setting const& s, row_options const& rows, std::span<double>,
                                             bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .rows = rows,
            .accumulate = accumulate};
  }
  static long double weight(exact_row const& z, exact_row const& t, std::int64_t label) {
    long double const of_student = -decoupled_kd_case::binary(z, label, 1)[0];
    long double const of_teacher = -decoupled_kd_case::binary(t, label, 1)[0];
    return of_student == 0 || std::isinf(of_teacher) ? 0 : -std::expm1(-of_student / of_teacher);
  }
  /// How a relative error of the odds ends in the weight.
  static double weight_rounding(exact_row const& z, exact_row const& t, std::int64_t label) {
    auto const logit = [&](exact_row const& row) {
      auto const odds = decoupled_kd_case::binary(row, label, 1);
      return odds[0] - odds[1];
    };
    long double const left = 1 - weight(z, t, label), ratio = -std::log(left);
    long double const size = left * ratio * (std::abs(logit(z)) + std::abs(logit(t)));
    return std::isfinite(size) ? static_cast<double>(1 + size) : 1.0;
  }
  static long double value_with_constants_of(exact_row const& here, exact_row const& z, exact_row const& t,
                                             std::int64_t label, setting const& s) {
    long double const w = weight(here, t, label);
    auto const p = reference::from_logits(t, s.temperature), q = reference::from_logits(z, s.temperature);
    return w == 0 ? 0 : w * temperature_factor(s) * reference::soft_cross_entropy(p, q).value;
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    long double const f = temperature_factor(s), w = weight(z, t, label);
    auto const p = reference::from_logits(t, s.temperature);
    truth result{.value = value_with_constants_of(z, z, t, label, s),
                 .weight = 1,
                 .gradient = reference::forward_kl_gradient(z, p, s.temperature)};
    double const rounding = weight_rounding(z, t, label);
    long double const soft =
        f * reference::soft_cross_entropy(p, reference::from_logits(z, s.temperature)).value;
    result.value_scale = static_cast<double>(f) * size_of_classes(z) +
                         (std::isfinite(soft) ? rounding * static_cast<double>(soft) : 0.0);
    result.gradient_scale = static_cast<double>(f) / s.temperature * rounding;
    for (long double& entry : result.gradient) entry *= f * w;
    return result;
  }
};

}  // namespace distil::testing
