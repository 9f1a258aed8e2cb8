#pragma once

#include "distil/response/wasserstein_logits.hpp"

#include "coupled_case.hpp"
#include "transport_reference.hpp"

namespace distil::testing {

struct wasserstein_setting : setting {
  bool labelled = false;
  double epsilon = 0.05;
  int iterations = 10;
  double transport_weight = 1.0, target_weight = 1.0;
};

/// Rows do not meet, but no vocabulary is large: the suite of coupled batches fits.
struct wasserstein_logits_case {
  static constexpr char const* name = "wasserstein_logits";
  static constexpr error_bound bound = wasserstein_logits_loss::bound;
  static constexpr index most_columns = 131;
  static constexpr bool call_allocates = true;  // costs and labels; the loss by itself is tried in its test
  static std::vector<wasserstein_setting> settings() {
    return {{{.label = "T=2", .temperature = 2, .squared = false}, false, 0.1, 6},
            {{.label = "labels, T=1.5", .temperature = 1.5, .squared = false}, true, 0.2, 4, 2.0, 0.5},
            {{.label = "T=0.5 with T^2", .temperature = 0.5}, true, 0.5, 2}};
  }
  static double cost_between(index i, index j) {  // not symmetric
    return i == j ? 0.0 : 0.25 + 0.125 * static_cast<double>((5 * i + 3 * j) % 11);
  }
  static std::vector<float> cost_of(index classes) {
    std::vector<float> result;
    for (index i = 0; i < classes; ++i) {
      for (index j = 0; j < classes; ++j) result.push_back(static_cast<float>(cost_between(i, j)));
    }
    return result;
  }
  /// The label of a row depends on its logits, so that it stays with the row.
  static index label_of(exact_row const& teacher) {
    return std::isfinite(teacher[0])
               ? static_cast<index>(std::abs(teacher[0]) * 64) % static_cast<index>(teacher.size())
               : 0;
  }
  template <class Batch>
  static std::vector<int> labels_of(Batch const& b, wasserstein_setting const& s) {
    std::vector<int> labels;
    for (index r = 0; s.labelled && r < b.rows; ++r) {
      labels.push_back(static_cast<int>(label_of(b.teacher.template row<long double>(r))));
    }
    return labels;
  }
  static wasserstein_logits_options options(wasserstein_setting const& s, coupled_rows const& rows,
                                            std::vector<int> const& labels, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .epsilon = s.epsilon,
            .iterations = s.iterations,
            .labels = labels,
            .transport_weight = s.transport_weight,
            .target_weight = s.target_weight,
            .weight = s.weight,
            .rows = detail::as_row_options(rows),
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, wasserstein_setting const& s,
                          coupled_rows const& rows) {
    auto const cost = cost_of(b.columns);
    auto const labels = labels_of(b, s);
    return wasserstein_logits(policy, b.student.view(), b.teacher.view(),
                              matrix_view(cost.data(), b.columns, b.columns),
                              options(s, rows, labels, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, wasserstein_setting const& s,
                              coupled_rows const& rows, bool accumulate = false) {
    auto const cost = cost_of(b.columns);
    auto const labels = labels_of(b, s);
    return wasserstein_logits.with_grad(policy, b.student.view(), b.teacher.view(),
                                        matrix_view(cost.data(), b.columns, b.columns), gradient,
                                        options(s, rows, labels, accumulate));
  }

  /// The transport of one row, and its derivative by the logits.
  static long double of_row(exact_row z, exact_row t, index label, wasserstein_setting const& s,
                            exact_row& gradient) {
    if (label >= 0) {
      z[static_cast<std::size_t>(label)] = t[static_cast<std::size_t>(label)] =
          static_cast<long double>(minus_infinity);
      if (reference::fully_masked(z) || reference::fully_masked(t)) return 0;
    }
    auto const classes = static_cast<index>(z.size());
    exact_matrix cost(z.size(), exact_row(z.size()));
    for (index i = 0; i < classes; ++i) {
      for (index j = 0; j < classes; ++j) {
        cost[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] =
            static_cast<long double>(cost_between(i, j));
      }
    }
    auto const plan = reference::transport(cost, reference::softmax(z, s.temperature),
                                           reference::softmax(t, s.temperature), s.epsilon, s.iterations);
    long double const f = s.transport_weight * temperature_factor(s);
    auto const slope = reference::log_softmax_pull_back(z, plan.by_log_rows, s.temperature);
    for (std::size_t c = 0; c < z.size(); ++c) gradient[c] += f * slope[c];
    return f * plan.value;
  }

  static coupled_truth of(exact_matrix const& z, exact_matrix const& t,
                          std::vector<long double> const& weights, wasserstein_setting const& s) {
    auto const batch = distributions(z, t, weights, 1);
    coupled_truth result = batch.empty_truth();
    if (batch.total == 0) return result;
    double const condition =
        (1 + 2 / s.epsilon) * 2 * s.transport_weight * static_cast<double>(temperature_factor(s)) +
        s.target_weight * size_of_classes(z[0]);
    result.value_scale = 0;
    for (std::size_t r = 0; r < z.size(); ++r) {
      if (weights[r] == 0) continue;
      index const label = s.labelled ? label_of(t[r]) : -1;
      exact_row gradient(z[r].size(), 0);
      long double value = of_row(z[r], t[r], label, s, gradient);
      double largest = 1;
      if (label >= 0) {
        auto const at = static_cast<std::size_t>(label);
        long double const p = batch.p[r][at];
        if (p > 0) value -= s.target_weight * p * reference::log_softmax(z[r], 1)[at];
        for (std::size_t c = 0; c < z[r].size(); ++c) {
          gradient[c] += s.target_weight * p * (batch.q[r][c] - (c == at ? 1 : 0));
        }
      }
      for (long double const logit : z[r]) {
        if (std::isfinite(logit))
          largest = std::max(largest, static_cast<double>(std::abs(logit)) / s.temperature);
      }
      long double const share = weights[r] / batch.total;
      result.value += share * value;
      for (std::size_t c = 0; c < z[r].size(); ++c) result.gradient[r][c] = share * gradient[c];
      result.value_scale += static_cast<double>(share) * condition * largest;
      result.gradient_scale[r] =
          static_cast<double>(share) * condition * largest / std::min<double>(s.temperature, 1.0);
    }
    return result;
  }
};

}  // namespace distil::testing
