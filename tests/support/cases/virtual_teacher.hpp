#pragma once

#include "distil/response/virtual_teacher.hpp"

#include "case.hpp"

namespace distil::testing {

/// `temperature` and `squared` are the student's. Smoothed mass lies on every class, as with `label_smoothing`.
struct virtual_setting : setting {
  double teacher_temperature = 20;
  virtual_softening softening = virtual_softening::of_probabilities;
};

struct virtual_teacher_case {
  static constexpr char const* name = "virtual_teacher";
  static constexpr error_bound bound = virtual_teacher_loss::bound;
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  static std::vector<virtual_setting> settings() {
    auto const with = [](char const* label, double T, bool squared, double soft, double hard) {
      return setting{.label = label,
                     .temperature = T,
                     .squared = squared,
                     .soft_weight = soft,
                     .hard_weight = hard,
                     .label_smoothing = 1};
    };
    return {{with("the authors'", 1, false, 0.1, 0.9)},
            {with("the paper's", 20, true, 0.1, 0.9)},
            {with("of logits", 4, true, 0.5, 1), 4, virtual_softening::of_logits},
            {with("not softened", 1, false, 1, 0), 1, virtual_softening::of_logits}};
  }
  static virtual_teacher_options options(virtual_setting const& s, row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .teacher_temperature = s.teacher_temperature,
            .scale_by_temperature_squared = s.squared,
            .softening = s.softening,
            .soft_weight = s.soft_weight,
            .hard_weight = s.hard_weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, virtual_setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return virtual_teacher(policy, b.student.view(), b.labels, options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, virtual_setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return virtual_teacher.with_grad(policy, b.student.view(), b.labels, gradient,
                                     options(s, rows, accumulate));
  }
  static truth of(exact_row const& z, exact_row const&, std::int64_t label, virtual_setting const& s) {
    if (label == -100 || reference::fully_masked(z)) return {.gradient = exact_row(z.size(), 0)};
    auto const others = static_cast<long double>(z.size() - 1);
    exact_row wanted(z.size(), others > 0 ? (1 - 0.99) / others : 0.0L);
    wanted[static_cast<std::size_t>(label)] = 0.99;
    if (s.softening == virtual_softening::of_logits) {
      for (long double& entry : wanted) entry = std::log(entry);
    }
    auto const p = reference::from_logits(wanted, s.teacher_temperature);
    long double const T = s.temperature, f = temperature_factor(s);
    auto const hard = reference::label_target<long double>(z.size(), label);
    truth result{.value = s.soft_weight * f * reference::forward_kl(p, reference::from_logits(z, T)).value,
                 .weight = 1,
                 .gradient = reference::forward_kl_gradient(z, p, T)};
    for (long double& entry : result.gradient) entry *= s.soft_weight * f;
    if (s.hard_weight > 0) {
      result.value += s.hard_weight * reference::cross_entropy(z, hard).value;
      auto const of_hard = reference::cross_entropy_gradient(z, hard);
      for (std::size_t c = 0; c < z.size(); ++c) result.gradient[c] += s.hard_weight * of_hard[c];
    }
    result.value_scale = (s.hard_weight + s.soft_weight * static_cast<double>(f)) * size_of_classes(z);
    result.gradient_scale = s.hard_weight + s.soft_weight * static_cast<double>(f / T);
    return result;
  }
};

}  // namespace distil::testing
