#pragma once

#include "distil/response/list_maximum_likelihood.hpp"
#include "ranking_case.hpp"

namespace distil::testing {

struct list_maximum_likelihood_setting : ranking_setting {
  below_top others = below_top::left_out;
};

struct list_maximum_likelihood_case
    : ranking_case<distil::list_maximum_likelihood, list_maximum_likelihood_case> {
  static constexpr char const* name = "list_maximum_likelihood";
  static constexpr error_bound bound = list_maximum_likelihood_loss::bound;

  static std::vector<list_maximum_likelihood_setting> settings() {
    return {{{{.label = "all"}}},
            {{{.label = "top 3, T=2", .temperature = 2}, 3}},
            {{{.label = "top 4 among all, T=0.5", .temperature = 0.5}, 4}, below_top::competing}};
  }
  static list_maximum_likelihood_options options(list_maximum_likelihood_setting const& s,
                                                 row_options const& rows, bool accumulate) {
    return {.temperature = s.temperature,
            .top = s.top,
            .others = s.others,
            .weight = s.weight,
            .rows = rows,
            .accumulate = accumulate};
  }

  /// The product of the choices: u of each place less the logarithm of the sum over those left.
  static truth of(exact_row const& z, exact_row const& t, std::int64_t,
                  list_maximum_likelihood_setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    auto ranked = order(z, t);
    if (ranked.empty()) return result;
    if (has_nan(z) || has_nan(t)) return not_a_number(z);
    std::size_t const top =
        s.top > 0 ? std::min(ranked.size(), static_cast<std::size_t>(s.top)) : ranked.size();
    if (s.others == below_top::left_out) ranked.resize(top);
    long double const T = s.temperature;
    long double low = z[ranked[0]], high = low;
    for (std::size_t const c : ranked) low = std::min(low, z[c]), high = std::max(high, z[c]);
    // Sums from the end, relative to the largest score: in long double they hold 1e4930.
    exact_row sum(ranked.size() + 1, 0), log_sum(ranked.size());
    bool const narrow = (high - low) / T < 11000;
    for (std::size_t i = ranked.size(); i-- > 0;) {
      long double const u = (z[ranked[i]] - high) / T;
      if (narrow) {
        sum[i] = sum[i + 1] + std::exp(u);
        log_sum[i] = std::log(sum[i]);
      } else {
        long double const rest =
            i + 1 < ranked.size() ? log_sum[i + 1] : -std::numeric_limits<long double>::infinity();
        long double const larger = std::max(u, rest);
        log_sum[i] = larger + std::log1p(std::exp(std::min(u, rest) - larger));
      }
    }
    result.weight = 1;
    for (std::size_t i = 0; i < top; ++i) {
      result.value += log_sum[i] - (z[ranked[i]] - high) / T;
    }
    long double inverse_sums = 0;
    for (std::size_t j = 0; j < ranked.size(); ++j) {
      long double const u = (z[ranked[j]] - high) / T;
      long double chosen = 0;
      if (narrow) {
        if (j < top) inverse_sums += 1 / sum[j];
        chosen = std::exp(u) * inverse_sums;
      } else {  // the sums fall: places from far before add nothing
        for (std::size_t i = std::min(j + 1, top); i-- > 0 && u - log_sum[i] > -100;) {
          chosen += std::exp(u - log_sum[i]);
        }
      }
      result.gradient[ranked[j]] = (chosen - (j < top ? 1 : 0)) / T;
    }
    double const size = static_cast<double>(ranked.size());
    double const spread = static_cast<double>((high - low) / T);
    result.value_scale = size * (1 + spread);
    result.gradient_scale = size * (1 + spread) / s.temperature;
    return result;
  }
};

}  // namespace distil::testing
