#pragma once

#include "distil/response/skew_kl.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct skew_kl_case : parametric_case<distil::skew_kl, skew_kl_case> {
  static constexpr char const* name = "skew_kl";
  static constexpr error_bound bound = skew_kl_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.1}, {4, 0.5}, {0.5, 1e-3}, {2.5, 0.7, 0, false}, {2, 0}};
  }
  static skew_kl_options parameters(parameter_setting const& s) { return {.skew = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const k = s.first;
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      // By logarithms: both shares may be too small for a number.
      long double const log_m = log_of_sum(std::log(k) + log_p, std::log(1 - k) + log_q);
      long double const part = k == 0 ? p : p == 0 || q == 0 ? 0 : p * std::exp(log_q - log_m);
      return naive_summand{times(p, log_p - log_m), -(1 - k) * part,
                           times(p, log_p - log_m) + (1 - k) * part};
    });
  }
};

}  // namespace distil::testing
