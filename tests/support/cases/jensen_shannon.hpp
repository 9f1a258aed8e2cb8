#pragma once

#include "distil/response/jensen_shannon.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct jensen_shannon_case : parametric_case<distil::jensen_shannon, jensen_shannon_case> {
  static constexpr char const* name = "jensen_shannon";
  static constexpr error_bound bound = jensen_shannon_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5}, {4, 0.9}, {0.5, 0.01}, {2.5, 0.25, 0, false}};
  }
  static jensen_shannon_options parameters(parameter_setting const& s) { return {.teacher_mix = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const b = s.first;
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      long double const m = b * p + (1 - b) * q;
      long double const log_m = std::log(m);
      return naive_summand{times(b * p, log_p - log_m) + times((1 - b) * q, log_q - log_m),
                           times((1 - b) * q, log_q - log_m), times(b * p, log_p - log_m)};
    });
  }
};

}  // namespace distil::testing
