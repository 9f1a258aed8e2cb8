#pragma once

#include "distil/response/adaptive_kl.hpp"

#include <numeric>

#include "divergence_case.hpp"

namespace distil::testing {

struct adaptive_kl_case : parametric_case<distil::adaptive_kl, adaptive_kl_case> {
  static constexpr char const* name = "adaptive_kl";
  static constexpr error_bound bound = adaptive_kl_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 0.5}, {4, 0.9}, {0.5, 0}, {2.5, 0.25, 0, false}};
  }
  static adaptive_kl_options parameters(parameter_setting const& s) { return {.head_mass = s.first}; }

  /// The weight of forward KL, by sorting.
  static long double weight_at(exact_row const& z, exact_row const& t, parameter_setting const& s) {
    auto const p = reference::softmax(t, s.temperature), q = reference::softmax(z, s.temperature);
    std::vector<std::size_t> order(z.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return t[a] > t[b]; });
    long double sum = 0, head = 0, tail = 0;
    bool inside = true;
    for (std::size_t k = 0; k < order.size();) {
      std::size_t next = k;  // equal logits go together
      while (next < order.size() && t[order[next]] == t[order[k]]) sum += p[order[next++]];
      inside = inside && (k == 0 || sum <= s.first);
      for (; k < next; ++k) (inside ? head : tail) += std::abs(p[order[k]] - q[order[k]]);
    }
    return head + tail == 0 ? 0.5L : head / (head + tail);
  }

  static truth with_weight(exact_row const& z, exact_row const& t, parameter_setting const& s,
                           long double weight) {
    return of_sum(z, t, s, [&](long double p, long double log_p, long double q, long double log_q) {
      long double const rest = 1 - weight;
      return naive_summand{times(weight * p, log_p - log_q) + times(rest * q, log_q - log_p),
                           times(rest * q, log_q - log_p + 1) - weight * p,
                           times(weight * p, log_p - log_q + 1) - rest * q};
    });
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    return with_weight(z, t, s, weight_at(z, t, s));
  }
  static long double value_with_constants_of(exact_row const& at, exact_row const& z, exact_row const& t,
                                             std::int64_t, parameter_setting const& s) {
    return with_weight(z, t, s, weight_at(at, t, s)).value;
  }
  static truth of_held_at(exact_row const& z, exact_row const& t, parameter_setting const& s,
                          parameter_setting const& at) {
    return with_weight(z, t, s, weight_at(z, t, at));
  }
};

}  // namespace distil::testing
