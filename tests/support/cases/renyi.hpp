#pragma once

#include "distil/response/renyi.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct renyi_case : parametric_case<distil::renyi, renyi_case> {
  static constexpr char const* name = "renyi";
  static constexpr error_bound bound = renyi_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5}, {4, 0.9}, {0.5, 2}, {2.5, 1, 0, false}, {2, 1.5}, {1, 1 + 0x1p-10}};
  }
  static renyi_options parameters(parameter_setting const& s) { return {.alpha = s.first}; }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    long double const a = s.first;
    if (a == 1) {
      return of_sum(z, t, s, [](long double p, long double log_p, long double, long double log_q) {
        return naive_summand{times(p, log_p - log_q), -p, times(p, log_p - log_q + 1)};
      });
    }
    // Relative to the largest summand.
    auto const p = reference::from_logits(t, s.temperature), q = reference::from_logits(z, s.temperature);
    auto const exponent = [&](long double log_p, long double log_q) { return a * log_p + (1 - a) * log_q; };
    long double top = -std::numeric_limits<long double>::infinity();
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (p.probability[c] == 0 && q.probability[c] == 0 && std::isinf(z[c])) continue;
      top = std::max(top, exponent(p.log_probability[c], q.log_probability[c]));
    }
    bool const infinite = top > 0 && std::isinf(top);
    if (std::isinf(top) && top < 0) top = 0;
    auto const terms = [&](long double, long double log_p, long double, long double log_q) {
      long double const x = exponent(log_p, log_q);
      long double const w = infinite ? (x == top ? 1.0L : 0.0L) : std::exp(x - top);
      return std::array<naive_summand, 1>{naive_summand{w, (1 - a) * w, a * w}};
    };
    auto const outcome = [&](std::array<naive_summand, 1> const& sums) {
      long double const sum = sums[0].value;
      return naive_outcome<1>{(std::log(sum) + top) / (a - 1), {sum == 0 ? 0 : 1 / sum / (a - 1)}};
    };
    return of_sums(z, t, s, terms, outcome);
  }
};

}  // namespace distil::testing
