#pragma once

#include "case.hpp"
#include "distil/response/labels/labelled_loss.hpp"

namespace distil::testing {

/// A loss between a student and a teacher that takes labels: everything but its options and the reference. `Case`
/// offers `options(setting, rows, slope, accumulate)`.
template <class Case, auto const& loss>
struct labelled_case {
  static constexpr char const* name = std::remove_cvref_t<decltype(loss)>::name;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;

  template <class Policy, class Batch, class Setting>
  static loss_value value(Policy policy, Batch const& b, Setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(), b.teacher.view(), b.labels, Case::options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient, class Setting>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, Setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                          Case::options(s, rows, slope, accumulate));
  }

  /// Whether a row does not count.
  static bool skips(exact_row const& z, exact_row const& t, std::int64_t label) {
    return label == -100 || reference::fully_masked(z) || reference::fully_masked(t);
  }
  static truth skipped(exact_row const& z) { return {.gradient = exact_row(z.size(), 0)}; }
};

/// A row of logits without one class.
inline exact_row without(exact_row row, std::int64_t label) {
  row.erase(row.begin() + label);
  return row;
}

}  // namespace distil::testing
