#pragma once

#include "distil/response/binary_cross_entropy.hpp"

#include <algorithm>

#include "case.hpp"

namespace distil::testing {

/// Settings of losses of single elements.
struct element_setting : setting {
  over_elements elements = over_elements::row_mean;
  bool weighs = false;    ///< elements and positives by numbers that differ
  bool softened = false;  ///< some targets are neither 0 nor 1
};

/// What stands for the label of a row: targets that look the same from either end, as do weights.
struct element_targets_of {
  static constexpr double ignored = -100;

  static double target(index column, index columns, std::int64_t label, element_setting const& s) {
    if (label == -100) return ignored;
    switch (std::abs(column - static_cast<index>(label)) % 5) {
      case 1:
        return 0;
      case 2:
        return s.softened ? 0.25 : 0;
      case 4:  // but at the ends, where suites put what must be seen
        return column == 0 || column == columns - 1 ? 1 : ignored;
      default:
        return 1;
    }
  }
  static double weight(index column, index columns, element_setting const& s) {
    return s.weighs ? 0.5 * static_cast<double>(std::min(column, columns - 1 - column) % 4) : 1;
  }
  static double positive(index column, index columns, element_setting const& s) {
    return s.weighs ? 0.5 + static_cast<double>(std::min(column, columns - 1 - column) % 3) : 1;
  }

  std::vector<float> target_numbers, positive_numbers;
  std::vector<double> weight_numbers;
  matrix_view<float const> targets;
  number_matrix weights = {};
  class_parameter positive_weight = 1;

  template <class Batch>
  element_targets_of(Batch const& b, element_setting const& s, row_options const& rows) {
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) {
        double const number = target(c, b.columns, b.labels[static_cast<std::size_t>(r)], s);
        target_numbers.push_back(
            static_cast<float>(number == ignored ? static_cast<double>(rows.ignore_label) : number));
      }
    }
    for (index c = 0; c < b.columns; ++c) {
      weight_numbers.push_back(weight(c, b.columns, s));
      positive_numbers.push_back(static_cast<float>(positive(c, b.columns, s)));
    }
    targets = matrix_view<float const>(target_numbers.data(), b.rows, b.columns);
    if (s.weighs) {
      weights = matrix_view<double const>(weight_numbers.data(), b.rows, b.columns, 0, 1);
      positive_weight = positive_numbers;
    }
  }
};

namespace elementwise {

/// log(1 + e^x) and the sigmoid, as they stand in the papers.
inline long double softplus(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }
inline long double sigmoid(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
inline long double times(long double weight, long double x) { return weight == 0 ? 0 : weight * x; }

}  // namespace elementwise

struct binary_cross_entropy_case {
  static constexpr char const* name = "binary_cross_entropy";
  static constexpr error_bound bound = binary_cross_entropy_loss::bound;
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;
  static constexpr bool call_allocates = true;
  static constexpr bool moves_with_a_constant = true;
  static constexpr bool infinities_are_logits = true;

  static std::vector<element_setting> settings() {
    return {{{.label = "mean of rows"}},
            {{.label = "sums of weighed elements"}, over_elements::row_sum, true, true},
            {{.label = "smoothed", .label_smoothing = 0.1}, over_elements::row_mean, true, true}};
  }
  static binary_cross_entropy_options options(element_targets_of const& of, element_setting const& s,
                                              row_options const& rows, bool accumulate) {
    return {.positive_weight = of.positive_weight,
            .label_smoothing = s.label_smoothing,
            .elements = s.elements,
            .element_weights = of.weights,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, element_setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    element_targets_of const of(b, s, rows);
    return distil::binary_cross_entropy(policy, b.student.view(), of.targets, options(of, s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, element_setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    element_targets_of const of(b, s, rows);
    return distil::binary_cross_entropy.with_grad(policy, b.student.view(), of.targets, gradient,
                                                  options(of, s, rows, accumulate));
  }

  static truth of(exact_row const& z, exact_row const&, std::int64_t label, element_setting const& s) {
    using of_label = element_targets_of;
    truth result{.gradient = exact_row(z.size(), 0)};
    auto const classes = static_cast<index>(z.size());
    long double count = 0;
    for (index c = 0; c < classes; ++c) {
      auto const at = static_cast<std::size_t>(c);
      double const target = of_label::target(c, classes, label, s);
      if (target == of_label::ignored) continue;
      count += 1;
      long double const y =
          (1 - static_cast<long double>(s.label_smoothing)) * static_cast<long double>(target) +
          static_cast<long double>(s.label_smoothing) / 2;
      long double const a = static_cast<long double>(of_label::positive(c, classes, s)) * y,
                        w = of_label::weight(c, classes, s);
      long double const of_element = elementwise::times(a, elementwise::softplus(-z[at])) +
                                     elementwise::times(1 - y, elementwise::softplus(z[at]));
      result.value += elementwise::times(w, of_element);
      result.gradient[at] = w * ((1 - y) * elementwise::sigmoid(z[at]) - a * elementwise::sigmoid(-z[at]));
    }
    if (count == 0) return result;
    result.weight = 1;
    long double const share = s.elements == over_elements::row_mean ? 1 / count : 1;
    result.value *= share;
    for (long double& entry : result.gradient) entry *= share;
    result.value_scale = 0.1;  // what counts is relative to the value
    result.gradient_scale = static_cast<double>(4 * share);
    return result;
  }
};

}  // namespace distil::testing
