#pragma once

#include <algorithm>

#include "case.hpp"
#include "distil/response/ranking/ranking.hpp"

namespace distil::testing {

struct ranking_setting : setting {
  index top = 0;
};

/// A loss of the teacher's order: everything but its options and its formula.
template <auto const& loss, class Derived>
struct ranking_case {
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  template <class Policy, class Batch, class Setting>
  static loss_value value(Policy policy, Batch const& b, Setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return loss(policy, b.student.view(), b.teacher.view(), Derived::options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient, class Setting>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, Setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                          Derived::options(s, rows, accumulate));
  }

  /// Columns that neither side masks, the teacher's best first.
  static std::vector<std::size_t> order(exact_row const& z, exact_row const& t) {
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (z[c] != minus_infinity && t[c] != minus_infinity) columns.push_back(c);
    }
    std::stable_sort(columns.begin(), columns.end(),
                     [&](std::size_t a, std::size_t b) { return t[a] > t[b]; });
    return columns;
  }
  static bool has_nan(exact_row const& z) {
    return std::any_of(z.begin(), z.end(), [](long double x) { return !(x < 1e300L); });
  }
  static truth not_a_number(exact_row const& z) {
    long double const nan = std::numeric_limits<long double>::quiet_NaN();
    return {.value = nan, .weight = 1, .gradient = exact_row(z.size(), nan)};
  }
};

}  // namespace distil::testing
