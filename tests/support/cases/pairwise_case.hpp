#pragma once

#include "distil/response/ranking/pairwise.hpp"
#include "ranking_case.hpp"

namespace distil::testing {

struct pairwise_setting : ranking_setting {
  double margin = 1.0;
  pair_margin margin_is = pair_margin::constant;
  pair_reduction pairs = pair_reduction::mean;
};

/// `Derived::phi(x)` gives a pair's loss and its derivative.
template <auto const& loss, class Derived>
struct pairwise_case : ranking_case<loss, Derived> {
  /// Pairs are many: long rows only show their top.
  static std::vector<pairwise_setting> settings() {
    return {{{{.label = "top 12"}, 12}},
            {{{.label = "top 70, T=2, no margin", .temperature = 2}, 70}, 0.0},
            {{{.label = "top 9, T=0.5, sum", .temperature = 0.5}, 9},
             0.25,
             pair_margin::constant,
             pair_reduction::sum},
            {{{.label = "top 20, margin of the teacher"}, 20}, 0.5, pair_margin::times_teacher_difference}};
  }
  static pairwise_options options(pairwise_setting const& s, row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .margin = s.margin,
            .margin_is = s.margin_is,
            .pairs = s.pairs,
            .top = s.top,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }

  /// Every pair by itself.
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, pairwise_setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    auto ranked = ranking_case<loss, Derived>::order(z, t);
    if (ranking_case<loss, Derived>::has_nan(z) || ranking_case<loss, Derived>::has_nan(t)) {
      return ranking_case<loss, Derived>::not_a_number(z);
    }
    for (std::size_t const c : ranked) result.weight = result.weight > 0 || t[c] != t[ranked[0]] ? 1 : 0;
    if (s.top > 0) ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(s.top)));
    long double const T = s.temperature;
    long double pairs = 0, size = 0;
    for (std::size_t const i : ranked) {
      for (std::size_t const j : ranked) {
        if (!(t[i] > t[j])) continue;
        bool const constant = s.margin_is == pair_margin::constant;
        long double const margin = constant ? s.margin : s.margin * (t[i] - t[j]) / T;
        auto const [value, slope] = Derived::phi(margin - (z[i] - z[j]) / T);
        result.value += value;
        result.gradient[i] -= slope / T;
        result.gradient[j] += slope / T;
        size += std::abs(margin) + std::abs(z[i] - z[j]) / T;
        pairs += 1;
      }
    }
    bool const mean = s.pairs == pair_reduction::mean && pairs > 0;
    if (mean) {
      result.value /= pairs;
      size /= pairs;
      for (long double& entry : result.gradient) entry /= pairs;
    }
    result.value_scale = 1 + static_cast<double>(size);
    result.gradient_scale =
        Derived::gradient_scale(result.value_scale, mean ? 1.0 : static_cast<double>(pairs)) / s.temperature;
    return result;
  }
};

}  // namespace distil::testing
