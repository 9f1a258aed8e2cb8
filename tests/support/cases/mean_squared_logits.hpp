#pragma once

#include "distil/response/mean_squared_logits.hpp"

#include "case.hpp"

namespace distil::testing {

struct squares_setting : setting {
  over_classes classes = over_classes::mean;
  bool centred = false, relative = false;

  squares_setting(double the_temperature, over_classes how, bool without_mean, bool over_teacher)
      : classes(how), centred(without_mean), relative(over_teacher) {
    temperature = the_temperature;
    label = "T=" + std::to_string(temperature) + (classes == over_classes::sum ? ", sum" : "") +
            (centred ? ", centred" : "") + (relative ? ", relative" : "");
  }
};

struct mean_squared_logits_case {
  static constexpr char const* name = "mean_squared_logits";
  static constexpr error_bound bound = mean_squared_logits_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static constexpr bool moves_with_a_constant = true;
  static std::vector<squares_setting> settings() {
    return {{1, over_classes::mean, false, false},
            {2, over_classes::sum, false, false},
            {0.5, over_classes::mean, true, false}};
  }

  static mean_squared_logits_options options(squares_setting const& s, row_options const& rows,
                                             std::span<double> slope, bool accumulate) {
    return {.temperature = s.temperature,
            .classes = s.classes,
            .centred = s.centred,
            .relative = s.relative,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, squares_setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return mean_squared_logits(policy, b.student.view(), b.teacher.view(), options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, squares_setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return mean_squared_logits.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                                         options(s, rows, slope, accumulate));
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t, squares_setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    if (reference::fully_masked(z) || reference::fully_masked(t)) return result;
    result.weight = 1;
    long double const masked = -std::numeric_limits<long double>::infinity();
    long double const T = s.temperature;
    std::vector<std::size_t> counted;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (z[c] != masked && t[c] != masked) counted.push_back(c);
    }
    if (counted.empty()) return result;
    long double const n = static_cast<long double>(counted.size());
    exact_row difference(z.size(), 0), teacher(z.size(), 0);
    long double mean = 0, teacher_mean = 0;
    for (std::size_t const c : counted) {
      mean += (z[c] - t[c]) / T / n;
      teacher_mean += t[c] / T / n;
    }
    long double squares = 0, teacher_squares = 0, largest = 0;
    for (std::size_t const c : counted) {
      difference[c] = (z[c] - t[c]) / T - (s.centred ? mean : 0);
      teacher[c] = t[c] / T - (s.centred ? teacher_mean : 0);
      squares += difference[c] * difference[c];
      teacher_squares += teacher[c] * teacher[c];
      largest = std::max(largest, std::abs(z[c] / T) + std::abs(t[c] / T));
    }
    long double factor = s.classes == over_classes::sum ? 1 : 1 / n;
    if (s.relative) factor = teacher_squares == 0 ? 0 : factor / (teacher_squares / n);
    result.value = factor * squares;
    for (std::size_t const c : counted) result.gradient[c] = 2 * factor * difference[c] / T;
    result.by_temperature = s.relative ? 0 : -2 * result.value / T;
    result.value_scale = static_cast<double>(factor * n * largest * largest);
    result.gradient_scale = static_cast<double>(2 * factor * largest / T);
    return result;
  }
};

/// T does nothing to quotients.
struct relative_squared_logits_case : mean_squared_logits_case {
  static constexpr bool has_temperature_gradient = false;
  static std::vector<squares_setting> settings() {
    return {{1, over_classes::mean, true, true},
            {2, over_classes::sum, true, true},
            {0.5, over_classes::mean, false, true}};
  }
};

}  // namespace distil::testing
