#pragma once

#include <algorithm>
#include <numeric>

#include "distil/response/universal_logits.hpp"

#include "case.hpp"

namespace distil::testing {

/// Two matrices of logits whose rows are compared as they are, without labels; everything but the reference.
struct universal_logits_case {
  static constexpr char const* name = "universal_logits";
  static constexpr error_bound bound = universal_logits_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "T=1", .squared = false},
            {.label = "T=4 with T^2", .temperature = 4},
            {.label = "T=0.5", .temperature = 0.5, .squared = false}};
  }
  static universal_logits_options options(setting const& s, row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    return universal_logits(policy, b.student.view(), b.teacher.view(), options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    return universal_logits.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                                      options(s, rows, accumulate));
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    long double const T = s.temperature, f = temperature_factor(s);
    truth result{.weight = 1, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z.size() > t.size() ? z : t);
    result.gradient_scale = static_cast<double>(f / T);
    if (reference::fully_masked(z) || reference::fully_masked(t)) {
      result.weight = 0;
      return result;
    }
    auto const q = reference::softmax(z, T);
    auto p = reference::softmax(t, T);
    auto const is_nan = [](long double x) { return std::isnan(x); };
    if (std::any_of(q.begin(), q.end(), is_nan) || std::any_of(p.begin(), p.end(), is_nan)) {
      result.value = std::nanl("");
      result.gradient.assign(z.size(), result.value);
      return result;
    }
    std::sort(p.begin(), p.end(), std::greater<>());
    std::vector<std::size_t> order(q.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return q[a] > q[b]; });
    exact_row g(q.size());
    long double doubtful = 0;
    for (std::size_t rank = 0; rank < std::max(q.size(), p.size()); ++rank) {
      long double const own = rank < q.size() ? q[order[rank]] : 0, other = rank < p.size() ? p[rank] : 0;
      result.value += f * std::abs(own - other);
      if (rank >= q.size()) continue;
      g[order[rank]] = own > other ? f : own < other ? -f : 0;
      // Rounding in float may decide otherwise.
      if (std::abs(own - other) < 1e-6L * (1 + 2 / T) * (own + other)) doubtful += 2 * own;
    }
    result.gradient = reference::softmax_pull_back(z, g, T);
    result.gradient_scale *= 1 + static_cast<double>(doubtful) / std::numeric_limits<float>::epsilon();
    return result;
  }
};

}  // namespace distil::testing
