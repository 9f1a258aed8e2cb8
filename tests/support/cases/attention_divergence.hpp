#pragma once

#include "distil/attention/attention_divergence.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

inline long double attention_divergence_of(exact_map const& student, exact_map const& teacher,
                                           attention_divergence_options const& o) {
  exact_tokens const tokens{
      o.tokens, {student.samples(), compared_heads(student, o.heads), student.height(), student.width()}};
  return reduced(tokens, o.reduce, [&](index n, index head, index i) -> std::array<long double, 2> {
    auto s = score_row(student, tokens, o.heads, n, head, i),
         t = score_row(teacher, tokens, o.heads, n, head, i);
    auto const scores = t;
    long double const temperature = o.temperature[head];
    for (std::size_t j = 0; j < s.size(); ++j) s[j] /= temperature, t[j] /= temperature;
    auto const log_q = log_softmax_of(s), log_p = log_softmax_of(t);
    if (log_q.empty() || log_p.empty()) return {0, 0};
    auto const kept = [&](index j) { return !(scores[static_cast<std::size_t>(j)] <= o.dropped_to); };
    long double const factor = o.scale_by_temperature_squared ? temperature * temperature : 1;
    return {factor * divergence_of(o.kind, log_p, log_q, kept), 1};
  });
}

struct attention_divergence_case : pair_case<distil::attention_divergence, attention_divergence_options> {
  static constexpr char const* name = "attention_divergence";
  static constexpr error_bound bound = attention_divergence_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"cross entropy, dropped, sum",
             {.kind = attention_divergence_kind::cross_entropy,
              .dropped_to = -0.1,
              .reduce = attention_reduction::sum}},
            {"mean of the heads", {.temperature = 0.5, .heads = attention_heads::mean}},
            {"softened, by sequences",
             {.temperature = 3,
              .scale_by_temperature_squared = true,
              .reduce = attention_reduction::sequence_mean}}};
  }
  static std::vector<pair_shape> shapes() {
    return same({{1, 1, 1, 1}, {1, 2, 3, 3}, {2, 1, 2, 19}, {2, 3, 4, 5}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{30, 3, 20, 20}}); }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    return attention_divergence_of(student, teacher, s.options);
  }
  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const& o = s.options;
    long double spread = 0;
    for (auto const* map : {&student, &teacher}) {
      for (long double const score : map->values) {
        if (std::isfinite(score)) spread = std::max(spread, 2 * std::abs(score));
      }
    }
    auto const t = static_cast<double>(o.temperature[0]);
    double const factor = o.scale_by_temperature_squared ? t * t : 1,
                 size = 1 + static_cast<double>(spread) / t;
    auto const rows =
        static_cast<double>(student.samples() * compared_heads(student, o.heads) * student.height());
    bool const sums = o.reduce == attention_reduction::sum;
    return {factor * size * (sums ? rows : 1), factor * size / t / (sums ? 1 : rows)};
  }
};

}  // namespace distil::testing
