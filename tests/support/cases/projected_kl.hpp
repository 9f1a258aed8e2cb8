#pragma once

#include "distil/response/projected_kl.hpp"

#include "case.hpp"

namespace distil::testing {

/// A projection that owns its entries, by rows of (column, weight).
struct owned_projection {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> columns = {};
  std::vector<float> weights = {};
  index targets;

  explicit owned_projection(index target_count) : targets(target_count) {}
  void add(index column, double weight) {
    columns.push_back(static_cast<std::int32_t>(column));
    weights.push_back(static_cast<float>(weight));
  }
  void end_row() { offsets.push_back(static_cast<std::int64_t>(columns.size())); }
  [[nodiscard]] auto view() const { return sparse_projection(offsets, columns, weights, targets); }

  /// Each source is spread over three targets, which others share.
  static owned_projection mixing(index sources, index targets) {
    owned_projection result(targets);
    for (index i = 0; i < sources; ++i) {
      result.add(i % targets, 0.5);
      result.add((7 * i + 3) % targets, 0.25);
      result.add((3 * i + 1) % targets, 0.25);
      result.end_row();
    }
    return result;
  }
};

struct projected_kl_case {
  static constexpr char const* name = "projected_kl";
  static constexpr error_bound bound = projected_kl_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = false;
  static constexpr bool call_allocates = true;  // a projection; the loss by itself is tried in its test
  static std::vector<setting> settings() { return temperatures(); }

  static projected_kl_options options(setting const& s, row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    auto const projection = owned_projection::mixing(b.columns, b.columns);
    return projected_kl(policy, b.student.view(), b.teacher.view(), projection.view(),
                        options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    auto const projection = owned_projection::mixing(b.columns, b.columns);
    return projected_kl.with_grad(policy, b.student.view(), b.teacher.view(), projection.view(), gradient,
                                  options(s, rows, accumulate));
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return of(z, t, owned_projection::mixing(static_cast<index>(z.size()), static_cast<index>(t.size())), s);
  }

  static truth of(exact_row const& z, exact_row const& t, owned_projection const& m, setting const& s,
                  bool leave_out = true) {
    long double const T = s.temperature, f = temperature_factor(s);
    truth result{.weight = 1, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z.size() > t.size() ? z : t);
    result.gradient_scale = static_cast<double>(f / T);
    if (reference::fully_masked(z) || reference::fully_masked(t)) {
      result.weight = 0;
      return result;
    }
    auto const log_q = reference::log_softmax(z, T);
    auto p = reference::softmax(t, T);
    // log r by the largest term and the rest.
    exact_row top(t.size(), static_cast<long double>(minus_infinity)), sum(t.size(), 0);
    std::vector<bool> reached(t.size(), false);
    auto const each = [&](auto const& entry) {
      for (std::size_t i = 0; i < z.size(); ++i) {
        for (auto k = static_cast<std::size_t>(m.offsets[i]); k < static_cast<std::size_t>(m.offsets[i + 1]);
             ++k) {
          entry(i, static_cast<std::size_t>(m.columns[k]), static_cast<long double>(m.weights[k]));
        }
      }
    };
    each([&](std::size_t i, std::size_t j, long double w) {
      if (w > 0) reached[j] = true, top[j] = std::max(top[j], log_q[i] + std::log(w));
    });
    each([&](std::size_t i, std::size_t j, long double w) {
      if (w > 0 && top[j] > minus_infinity) sum[j] += std::exp(log_q[i] + std::log(w) - top[j]);
    });
    if (leave_out) {
      long double mass = 0;
      for (std::size_t j = 0; j < p.size(); ++j) mass += reached[j] ? p[j] : 0;
      for (std::size_t j = 0; j < p.size(); ++j) p[j] = reached[j] && mass > 0 ? p[j] / mass : 0;
    }
    for (std::size_t j = 0; j < p.size(); ++j) {
      if (p[j] > 0) result.value += f * p[j] * (std::log(p[j]) - top[j] - std::log(sum[j]));
    }
    exact_row h(z.size(), 0);
    double deepest = 0;
    each([&](std::size_t i, std::size_t j, long double w) {
      if (!(w > 0) || p[j] == 0 || top[j] == minus_infinity || log_q[i] == minus_infinity) return;
      long double const share = std::exp(log_q[i] + std::log(w) - top[j]) / sum[j];
      h[i] -= f * p[j] * share;
      deepest = std::max(deepest, static_cast<double>(p[j] * share * -log_q[i]));
    });
    result.gradient = reference::log_softmax_pull_back(z, h, T);
    result.gradient_scale *= 1 + deepest;
    if (std::isnan(log_q[0] + p[0])) {
      result.value = std::nanl("");
      result.gradient.assign(z.size(), result.value);
    }
    return result;
  }
};

}  // namespace distil::testing
