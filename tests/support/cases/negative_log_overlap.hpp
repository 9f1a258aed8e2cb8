#pragma once

#include "distil/response/negative_log_overlap.hpp"

#include "total_variation.hpp"

namespace distil::testing {

struct negative_log_overlap_case : divergence_case<distil::negative_log_overlap> {
  static constexpr char const* name = "negative_log_overlap";
  static constexpr error_bound bound = negative_log_overlap_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    // Relative to the largest summand: the overlap may be less than any number.
    auto const p = reference::from_logits(t, s.temperature), q = reference::from_logits(z, s.temperature);
    long double top = -std::numeric_limits<long double>::infinity();
    for (std::size_t c = 0; c < z.size(); ++c)
      top = std::max(top, std::min(p.log_probability[c], q.log_probability[c]));
    if (std::isinf(top)) top = 0;
    auto const terms = [&](long double, long double log_p, long double, long double log_q) {
      long double const least = std::exp(std::min(log_p, log_q) - top);
      auto const share = [](long double own, long double other) {
        return own < other ? 1.0L : own > other ? 0.0L : 0.5L;
      };
      return std::array<naive_summand, 1>{
          naive_summand{least, least * share(log_q, log_p), least * share(log_p, log_q)}};
    };
    auto const outcome = [&](std::array<naive_summand, 1> const& sums) {
      long double const sum = sums[0].value;
      return naive_outcome<1>{-std::log(sum) - top, {sum == 0 ? 0 : -1 / sum}};
    };
    truth result = of_sums(z, t, s, terms, outcome);
    double const overlap = static_cast<double>(std::exp(-result.value / temperature_factor(s)));
    result.gradient_scale *= 1 - static_cast<double>(top);
    result.gradient_scale +=
        temperature_factor(s) / s.temperature * size_of_ties(z, t, s.temperature) / std::max(overlap, 1e-30);
    return result;
  }
};

}  // namespace distil::testing
