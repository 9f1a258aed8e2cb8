#pragma once

#include "distil/attention/tokens/attention_maps.hpp"
#include "distil/attention/tokens/token_relation.hpp"

#include "pair_case.hpp"

/// Naive losses of attention: scores, their softmax, and what counts.
namespace distil::testing {

/// Does query i of sequence n count, and what does key j weigh for it.
struct exact_tokens {
  attention_tokens const& tokens;
  map_shape shape;  ///< sequences, heads, queries, keys

  [[nodiscard]] index length(index n, index whole) const {
    return tokens.lengths.size() == 0 ? whole : static_cast<index>(tokens.lengths[n]);
  }
  [[nodiscard]] bool key(index n, index j) const {
    return j < length(n, shape[3]) && tokens.keys[n * shape[3] + j] != 0;
  }
  [[nodiscard]] bool per_query() const {
    return tokens.weights.per_row() && tokens.weights.size() != shape[0];
  }
  [[nodiscard]] long double weight(index n, index i) const {
    if (i >= length(n, shape[2])) return 0;
    return tokens.weights[per_query() ? n * shape[2] + i : n];
  }
  [[nodiscard]] long double weight_of_mean(index n) const { return per_query() ? 1 : tokens.weights[n]; }
};

/// Reduces what `of_query(n, head, i)` gives, a pair of value and how often it counts.
template <class OfQuery>
long double reduced(exact_tokens const& tokens, attention_reduction reduce, OfQuery const& of_query) {
  long double sum = 0, total = 0, means = 0, sum_of_means = 0;
  for (index n = 0; n < tokens.shape[0]; ++n) {
    long double of_sequence = 0, counted = 0;
    for (index head = 0; head < tokens.shape[1]; ++head) {
      for (index i = 0; i < tokens.shape[2]; ++i) {
        long double const weight = tokens.weight(n, i);
        if (weight == 0) continue;
        auto const [value, count] = of_query(n, head, i);
        of_sequence += weight * value;
        counted += weight * count;
      }
    }
    sum += of_sequence, total += counted;
    if (counted > 0) {
      sum_of_means += tokens.weight_of_mean(n) * of_sequence / counted;
      means += tokens.weight_of_mean(n);
    }
  }
  if (reduce == attention_reduction::sum) return sum;
  if (reduce == attention_reduction::mean) return total > 0 ? sum / total : 0;
  return means > 0 ? sum_of_means / means : 0;
}

/// log softmax of a row, with -inf for what is masked; empty where all is.
inline std::vector<long double> log_softmax_of(std::vector<long double> row) {
  long double top = -INFINITY, sum = 0;
  for (long double const x : row) top = x > top || std::isnan(x) ? x : top;
  if (top == -INFINITY) return {};
  for (long double const x : row) sum += std::exp(x - top);
  for (long double& x : row) x -= top + std::log(sum);
  return row;
}

/// KL or cross entropy of two rows of log-probabilities, of the entries `kept(j)`.
template <class Kept>
long double divergence_of(attention_divergence_kind kind, std::vector<long double> const& log_p,
                          std::vector<long double> const& log_q, Kept const& kept) {
  long double sum = 0;
  for (std::size_t j = 0; j < log_p.size(); ++j) {
    if (log_p[j] == -INFINITY || !kept(static_cast<index>(j))) continue;
    sum += std::exp(log_p[j]) * ((kind == attention_divergence_kind::kl ? log_p[j] : 0) - log_q[j]);
  }
  return sum;
}

/// Scores of a relation head between tokens.
inline std::vector<long double> relation_row(exact_map const& x, exact_map const& y,
                                             exact_tokens const& tokens, relation_options const& o, index n,
                                             index head, index i) {
  std::vector<long double> row(static_cast<std::size_t>(y.positions()), -INFINITY);
  index const width = x.channels() / o.heads;
  for (index j = 0; j < y.positions(); ++j) {
    if (!tokens.key(n, j)) continue;
    long double sum = 0;
    for (index c = head * width; c < (head + 1) * width; ++c) sum += x.at(n, c, i) * y.at(n, c, j);
    row[static_cast<std::size_t>(j)] =
        sum / (std::sqrt(static_cast<long double>(width)) * static_cast<long double>(o.temperature[head]));
  }
  return row;
}

inline long double relation_of(exact_map const& student_x, exact_map const& student_y,
                               exact_map const& teacher_x, exact_map const& teacher_y,
                               relation_options const& o) {
  exact_tokens const tokens{o.tokens,
                            {student_x.samples(), o.heads, student_x.positions(), student_y.positions()}};
  return reduced(tokens, o.reduce, [&](index n, index head, index i) -> std::array<long double, 2> {
    auto const log_q = log_softmax_of(relation_row(student_x, student_y, tokens, o, n, head, i));
    auto const log_p = log_softmax_of(relation_row(teacher_x, teacher_y, tokens, o, n, head, i));
    if (log_q.empty() || log_p.empty()) return {0, 0};
    long double const t = o.scale_by_temperature_squared ? o.temperature[head] : 1;
    return {t * t * divergence_of(o.kind, log_p, log_q, [](index) { return true; }), 1};
  });
}

/// What the bounds of relations are relative to.
inline pair_scales relation_scales(exact_map const& student_x, exact_map const& student_y,
                                   exact_map const& teacher_x, exact_map const& teacher_y,
                                   relation_options const& o) {
  exact_tokens const tokens{o.tokens,
                            {student_x.samples(), o.heads, student_x.positions(), student_y.positions()}};
  long double score = 0, feature = 0, total = 0;
  auto const largest = [](auto const& values) {
    long double size = 0;
    for (long double const value : values) size = std::max(size, std::isfinite(value) ? std::abs(value) : 0);
    return size;
  };
  feature = std::max(largest(student_x.values), largest(student_y.values));
  for (index n = 0; n < student_x.samples(); ++n) {
    for (index head = 0; head < o.heads; ++head) {
      for (index i = 0; i < student_x.positions(); ++i) {
        score = std::max(score, largest(relation_row(student_x, student_y, tokens, o, n, head, i)));
        score = std::max(score, largest(relation_row(teacher_x, teacher_y, tokens, o, n, head, i)));
        total += tokens.weight(n, i);
      }
    }
  }
  long double const divisor = o.reduce == attention_reduction::sum ? 1 : total;
  auto const counts = static_cast<double>(o.reduce == attention_reduction::sum ? total : 1);
  auto const width = static_cast<long double>(student_x.channels() / o.heads);
  return {counts * static_cast<double>(1 + score),
          static_cast<double>((1 + score) * feature / (std::sqrt(width) * divisor))};
}

/// Heads that are compared, and a row of their scores with -inf at keys that are masked.
inline index compared_heads(exact_map const& map, attention_heads heads) {
  return heads == attention_heads::each ? map.channels() : 1;
}
inline std::vector<long double> score_row(exact_map const& map, exact_tokens const& tokens,
                                          attention_heads heads, index n, index head, index i) {
  std::vector<long double> row(static_cast<std::size_t>(map.width()), -INFINITY);
  for (index j = 0; j < map.width(); ++j) {
    if (!tokens.key(n, j)) continue;
    long double sum = 0;
    for (index h = 0; h < map.channels(); ++h) sum += map(n, h, i, j);
    if (heads == attention_heads::mean) sum /= static_cast<long double>(map.channels());
    row[static_cast<std::size_t>(j)] = heads == attention_heads::each ? map(n, head, i, j) : sum;
  }
  return row;
}

}  // namespace distil::testing
