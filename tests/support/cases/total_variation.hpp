#pragma once

#include "distil/response/total_variation.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

/// What classes on which both sides agree to the rounding of float may be off by, since their sign is that of the
/// rounding.
inline double size_of_ties(exact_row const& z, exact_row const& t, long double temperature) {
  auto const p = reference::from_logits(t, temperature), q = reference::from_logits(z, temperature);
  long double mass = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    long double const log_p = p.log_probability[c], log_q = q.log_probability[c];
    if (std::abs(log_p - log_q) <= 32 * 0x1p-24L * (2 - log_p - log_q)) mass += q.probability[c];
  }
  return static_cast<double>(mass) * 0x1p23;
}

/// |p - q| / 2.
inline naive_summand total_variation_of(long double p, long double q) {
  long double const half_sign = q > p ? 0.5L : q < p ? -0.5L : 0.0L;
  return {std::abs(p - q) / 2, half_sign * q, -half_sign * p};
}

struct total_variation_case : divergence_case<distil::total_variation> {
  static constexpr char const* name = "total_variation";
  static constexpr error_bound bound = total_variation_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    truth result = of_sum(z, t, s, [](long double p, long double, long double q, long double) {
      return total_variation_of(p, q);
    });
    result.gradient_scale += temperature_factor(s) / s.temperature * size_of_ties(z, t, s.temperature);
    return result;
  }
};

}  // namespace distil::testing
