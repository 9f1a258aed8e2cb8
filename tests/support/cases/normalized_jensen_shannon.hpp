#pragma once

#include "distil/response/normalized_jensen_shannon.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct normalized_jensen_shannon_case
    : parametric_case<distil::normalized_jensen_shannon, normalized_jensen_shannon_case> {
  static constexpr char const* name = "normalized_jensen_shannon";
  static constexpr error_bound bound = normalized_jensen_shannon_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5},  {4, 0.9},         {0.5, 1e-3}, {2.5, 0.25, 0, false},
            {1, 1e-9}, {1, 1 - 0x1p-30}, {2, 0},      {2, 1}};
  }
  static normalized_jensen_shannon_options parameters(parameter_setting const& s) {
    return {.teacher_mix = s.first};
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const b = s.first;
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      if (b == 0) return naive_summand{times(p, log_p - log_q), -p, times(p, log_p - log_q + 1)};
      if (b == 1) return naive_summand{times(q, log_q - log_p), times(q, log_q - log_p + 1), -q};
      // log(m / q) and log(m / p), whose differences from 0 are small near the ends
      long double const over_q = log_ratio_of_mixture(b, 1 - b, log_p, log_q);
      long double const over_p = log_ratio_of_mixture(1 - b, b, log_q, log_p);
      return naive_summand{-times(p, over_p) / (1 - b) - times(q, over_q) / b, -times(q, over_q) / b,
                           -times(p, over_p) / (1 - b)};
    });
  }

  /// log(share * p + rest * q) - log q, share + rest = 1.
  static long double log_ratio_of_mixture(long double share, long double rest, long double log_p,
                                          long double log_q) {
    long double const r = log_p - log_q;
    if (r < -1 && share > 0.5L) return std::log(rest + share * std::exp(r));
    if (r < 100) return std::log1p(share * std::expm1(r));
    return std::log(share) + r + std::log1p(rest / share * std::exp(-r));
  }
};

}  // namespace distil::testing
