#pragma once

#include "distil/response/skew_reverse_kl.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct skew_reverse_kl_case : parametric_case<distil::skew_reverse_kl, skew_reverse_kl_case> {
  static constexpr char const* name = "skew_reverse_kl";
  static constexpr error_bound bound = skew_reverse_kl_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.1}, {4, 0.5}, {0.5, 1e-3}, {2.5, 0.7, 0, false}, {2, 0}};
  }
  static skew_reverse_kl_options parameters(parameter_setting const& s) { return {.skew = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const k = s.first;
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      // By logarithms: both shares may be too small for a number.
      long double const log_m = log_of_sum(std::log(1 - k) + log_p, std::log(k) + log_q);
      long double const part = k == 0 ? q : p == 0 || q == 0 ? 0 : q * std::exp(log_p - log_m);
      return naive_summand{times(q, log_q - log_m), times(q, log_q - log_m) + (1 - k) * part,
                           -(1 - k) * part};
    });
  }
};

}  // namespace distil::testing
