#pragma once

#include "case.hpp"
#include "distil/response/margin_mse.hpp"

namespace distil::testing {

struct margin_mse_case {
  static constexpr char const* name = "margin_mse";
  static constexpr error_bound bound = margin_mse_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;  // which candidate is the positive one
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  static std::vector<setting> settings() { return {{.label = "default"}}; }
  template <class Batch>
  static margin_mse_options options(Batch const& b, setting const& s, row_options const& rows,
                                    bool accumulate) {
    return {.positives = b.labels, .weight = s.weight, .rows = rows, .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return distil::margin_mse(policy, b.student.view(), b.teacher.view(), options(b, s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return distil::margin_mse.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                                        options(b, s, rows, accumulate));
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t positive, setting const&) {
    truth result{.gradient = exact_row(z.size(), 0)};
    auto const masked = [&](std::size_t c) { return z[c] == minus_infinity || t[c] == minus_infinity; };
    if (positive == -100 || masked(static_cast<std::size_t>(positive))) return result;
    auto const p = static_cast<std::size_t>(positive);
    long double negatives = 0, of_student = 0, of_teacher = 0;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (masked(c)) continue;
      negatives += c == p ? 0 : 1;
      of_student = std::max(of_student, std::abs(z[c]));
      of_teacher = std::max(of_teacher, std::abs(t[c]));
    }
    if (negatives == 0) return result;
    result.weight = 1;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (c == p || masked(c)) continue;
      long double const difference = (z[p] - z[c]) - (t[p] - t[c]);
      result.value += difference * difference / negatives;
      result.gradient[c] -= 2 * difference / negatives;
      result.gradient[p] += 2 * difference / negatives;
    }
    double const size = static_cast<double>(of_student + of_teacher);
    result.value_scale = size * size;
    result.gradient_scale = size;
    return result;
  }
};

}  // namespace distil::testing
