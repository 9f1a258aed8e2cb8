#pragma once

#include "distil/attention/attention_scores.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

struct attention_scores_case : pair_case<distil::attention_scores, attention_scores_options> {
  static constexpr char const* name = "attention_scores";
  static constexpr error_bound bound = attention_scores_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"sum of the heads", {.heads = attention_heads::sum, .reduce = attention_reduction::sum}},
            {"TextBrewer's threshold, by sequences",
             {.masked_to = -1e-3, .reduce = attention_reduction::sequence_mean}}};
  }
  static std::vector<pair_shape> shapes() {
    return same({{1, 1, 1, 1}, {1, 2, 3, 3}, {2, 1, 2, 19}, {2, 3, 4, 5}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{30, 3, 20, 20}}); }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& setting) {
    auto const& o = setting.options;
    bool const masks = o.tokens.lengths.size() > 0 || o.tokens.keys.per_row();
    long double const masked_to = o.masked_to.value_or(masks ? -INFINITY : -1e2);
    exact_tokens const tokens{
        o.tokens, {student.samples(), compared_heads(student, o.heads), student.height(), student.width()}};
    return reduced(tokens, o.reduce, [&](index n, index head, index i) -> std::array<long double, 2> {
      auto const s = score_row(student, tokens, o.heads, n, head, i);
      auto const t = score_row(teacher, tokens, o.heads, n, head, i);
      long double sum = 0, keys = 0;
      for (std::size_t j = 0; j < s.size(); ++j) {
        long double const own = s[j] <= masked_to ? 0 : s[j], other = t[j] <= masked_to ? 0 : t[j];
        sum += (own - other) * (own - other);
        keys += tokens.key(n, static_cast<index>(j)) ? 1 : 0;
      }
      return {sum, keys};
    });
  }
};

}  // namespace distil::testing
