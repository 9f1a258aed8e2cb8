#pragma once

#include "distil/response/adaptive_alpha.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct adaptive_alpha_case : parametric_case<distil::adaptive_alpha, adaptive_alpha_case> {
  static constexpr char const* name = "adaptive_alpha";
  static constexpr error_bound bound = adaptive_alpha_function::bound;
  struct orders : parameter_setting {
    double limit;
    orders(double T, double low, double high, double the_limit, bool with_square = true)
        : parameter_setting(T, low, high, with_square), limit(the_limit) {}
  };
  static std::vector<orders> settings() {
    return {{1, -1, 1, 1e3}, {4, -1, 1, 2}, {0.5, 0, 1.5, 10}, {2.5, -0.5, 0.5, 1e3, false}};
  }
  static adaptive_alpha_options parameters(orders const& s) {
    return {.alpha_min = s.first, .alpha_max = s.second, .ratio_limit = s.limit};
  }

  static naive_summand of_class(long double alpha, long double limit, long double p, long double log_p,
                                long double q, long double log_q) {
    if (alpha == 1) return {times(p, log_p - log_q) - p + q, q - p, times(p, log_p - log_q)};
    if (alpha == 0) {
      bool const cut = log_p - log_q > std::log(limit);
      long double const ratio = cut ? std::log(limit) : log_p - log_q;
      return {-times(q, ratio) - q + p, -times(q, ratio), cut ? p : p - q};
    }
    long double const power = times(alpha, log_p) + times(1 - alpha, log_q);
    bool const cut = times(alpha, log_p - log_q) > std::log(limit);
    long double const c = cut ? limit * q : std::exp(power);
    return {(c - alpha * p - (1 - alpha) * q) / (alpha * (alpha - 1)), (q - c) / alpha,
            (cut ? p : p - c) / (1 - alpha)};
  }

  /// What the source descends: -sum q rho log q, q rho being constant.
  static long double value_with_constants_of(exact_row const& at, exact_row const& z, exact_row const& t,
                                             std::int64_t, orders const& s) {
    auto const p = reference::from_logits(t, s.temperature), q = reference::from_logits(at, s.temperature);
    auto const moving = reference::log_softmax(z, s.temperature);
    long double divergence[2] = {}, descended[2] = {};
    for (int side : {0, 1}) {
      long double const alpha = side == 0 ? s.first : s.second, limit = s.limit;
      for (std::size_t c = 0; c < z.size(); ++c) {
        long double const ratio = p.probability[c] / q.probability[c];
        long double rho, f;
        if (alpha == 1) {
          rho = ratio, f = ratio * std::log(ratio);
        } else if (alpha == 0) {
          f = -std::log(std::min(ratio, limit)), rho = -f - 1;
        } else {
          long double const power = std::min(std::pow(ratio, alpha), limit);
          rho = power / alpha, f = (power - 1) / (alpha * (alpha - 1));
        }
        divergence[side] += q.probability[c] * f;
        descended[side] -= q.probability[c] * rho * moving[c];
      }
    }
    return temperature_factor(s) * descended[divergence[0] > divergence[1] ? 0 : 1];
  }

  static truth of(exact_row const& z, exact_row const& t, std::int64_t, orders const& s) {
    return of_sums(
        z, t, s,
        [&](long double p, long double log_p, long double q, long double log_q) {
          return std::array<naive_summand, 2>{of_class(s.first, s.limit, p, log_p, q, log_q),
                                              of_class(s.second, s.limit, p, log_p, q, log_q)};
        },
        [](std::array<naive_summand, 2> const& sums) {
          bool const low = sums[0].value > sums[1].value;
          return naive_outcome<2>{low ? sums[0].value : sums[1].value,
                                  {low ? 1.0L : 0.0L, low ? 0.0L : 1.0L}};
        });
  }
};

}  // namespace distil::testing
