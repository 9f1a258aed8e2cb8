#pragma once

#include "distil/response/jeffreys.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct jeffreys_case : parametric_case<distil::jeffreys, jeffreys_case> {
  static constexpr char const* name = "jeffreys";
  static constexpr error_bound bound = jeffreys_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5}, {4, 0.9}, {0.5, 0.1}, {2.5, 0.3, 0, false}};
  }
  static jeffreys_options parameters(parameter_setting const& s) { return {.forward_weight = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const f = s.first;
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      return naive_summand{times(f * p, log_p - log_q) + times((1 - f) * q, log_q - log_p),
                           times((1 - f) * q, log_q - log_p + 1) - f * p,
                           times(f * p, log_p - log_q + 1) - (1 - f) * q};
    });
  }
};

}  // namespace distil::testing
