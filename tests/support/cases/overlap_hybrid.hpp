#pragma once

#include "distil/response/overlap_hybrid.hpp"

#include "total_variation.hpp"

namespace distil::testing {

struct overlap_hybrid_case : parametric_case<distil::overlap_hybrid, overlap_hybrid_case> {
  static constexpr char const* name = "overlap_hybrid";
  static constexpr error_bound bound = overlap_hybrid_function::bound;
  static std::vector<parameter_setting> settings() {
    return {{1, 3}, {4, 0.5}, {0.5, 0}, {2.5, 10, 0, false}};
  }
  static overlap_hybrid_options parameters(parameter_setting const& s) { return {.overlap_decay = s.first}; }
  /// With the weight of KL that `weight_of` gives for the total variation.
  template <class Weight>
  static truth with_weight(exact_row const& z, exact_row const& t, setting const& s, Weight weight_of) {
    auto const terms = [](long double p, long double log_p, long double q, long double log_q) {
      return std::array<naive_summand, 2>{
          naive_summand{times(p, log_p - log_q), -p, times(p, log_p - log_q + 1)}, total_variation_of(p, q)};
    };
    auto const outcome = [&](std::array<naive_summand, 2> const& sums) {
      long double const weight = weight_of(sums[1].value);
      return naive_outcome<2>{times(weight, sums[0].value) + (1 - weight) * sums[1].value,
                              {weight, 1 - weight}};
    };
    truth result = of_sums(z, t, s, terms, outcome);
    result.gradient_scale += temperature_factor(s) / s.temperature * size_of_ties(z, t, s.temperature);
    return result;
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, parameter_setting const& s) {
    return with_weight(z, t, s, [&](long double distance) { return std::exp(-s.first * (1 - distance)); });
  }

  /// The weight as for other logits and another temperature.
  static long double weight_at(exact_row const& z, exact_row const& t, parameter_setting const& s) {
    auto const p = reference::softmax(t, s.temperature), q = reference::softmax(z, s.temperature);
    long double overlap = 0;
    for (std::size_t c = 0; c < z.size(); ++c) overlap += std::min(p[c], q[c]);
    return std::exp(-s.first * overlap);
  }
  static long double value_with_constants_of(exact_row const& at, exact_row const& z, exact_row const& t,
                                             std::int64_t, parameter_setting const& s) {
    return with_weight(z, t, s, [&](long double) { return weight_at(at, t, s); }).value;
  }
  static truth of_held_at(exact_row const& z, exact_row const& t, parameter_setting const& s,
                          parameter_setting const& at) {
    return with_weight(z, t, s, [&](long double) { return weight_at(z, t, at); });
  }
};

}  // namespace distil::testing
