#pragma once

#include "distil/response/alpha_beta.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

/// Alpha-beta summands in long double: -1 / (ab) [p^a q^b - a/s p^s - b/s q^s], s = a + b, and its limits.
inline naive_summand alpha_beta_of(long double a, long double b, long double log_p, long double log_q) {
  // 0 * -inf, the exponent of 0^0, counts as 0
  auto const power = [](long double x, long double log, long double y, long double other) {
    return std::exp(times(x, log) + times(y, other));
  };
  long double const s = a + b, r = log_p - log_q;
  long double const P = power(s, log_p, 0, 0), Q = power(s, log_q, 0, 0), M = power(a, log_p, b, log_q);
  long double const by_q = a == 0 ? -times(Q, r) : (Q - M) / a;
  long double const by_p = b == 0 ? times(P, r) : (P - M) / b;
  long double value = 0;
  if (a == 0 && b == 0) {
    value = r * r / 2;
  } else if (s == 0) {
    value = (M - 1) / (a * a) - r / a;
  } else if (a == 0) {
    value = (times(-Q, r) + (P - Q) / b) / b;
  } else if (b == 0) {
    value = (times(P, r) - (P - Q) / a) / a;
  } else {
    value = -(M - a / s * P - b / s * Q) / (a * b);
  }
  return {std::isinf(M) ? M : value, by_q, by_p};
}

struct alpha_beta_case : parametric_case<distil::alpha_beta, alpha_beta_case> {
  static constexpr char const* name = "alpha_beta";
  static constexpr error_bound bound = alpha_beta_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.2, 0.7}, {4, 0.5, 0.5}, {0.5, 1, 0}, {2.5, 0, 1, false}};
  }
  static alpha_beta_options parameters(parameter_setting const& s) {
    return {.alpha = s.first, .beta = s.second};
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    return of_sum(z, t, s, [&](long double, long double log_p, long double, long double log_q) {
      return alpha_beta_of(s.first, s.second, log_p, log_q);
    });
  }
};

}  // namespace distil::testing
