#pragma once

#include "distil/response/reverse_kl.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct reverse_kl_case : divergence_case<distil::reverse_kl> {
  static constexpr char const* name = "reverse_kl";
  static constexpr error_bound bound = reverse_kl_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return of_sum(z, t, s, [](long double, long double log_p, long double q, long double log_q) {
      return naive_summand{times(q, log_q - log_p), times(q, log_q - log_p + 1), -q};
    });
  }
};

}  // namespace distil::testing
