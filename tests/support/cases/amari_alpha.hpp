#pragma once

#include "distil/response/amari_alpha.hpp"

#include "alpha_beta.hpp"

namespace distil::testing {

struct amari_alpha_case : parametric_case<distil::amari_alpha, amari_alpha_case> {
  static constexpr char const* name = "amari_alpha";
  static constexpr error_bound bound = amari_alpha_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5}, {4, 0.9}, {0.5, 0}, {2.5, 1, 0, false}, {2, 2}, {2, -1}};
  }
  static amari_alpha_options parameters(parameter_setting const& s) { return {.alpha = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    return of_sum(z, t, s, [&](long double, long double log_p, long double, long double log_q) {
      return alpha_beta_of(s.first, 1 - s.first, log_p, log_q);
    });
  }
};

}  // namespace distil::testing
