#pragma once

#include "distil/core/labels.hpp"
#include "distil/core/map_weights.hpp"
#include "distil/simd/scratch.hpp"

namespace distil {

/// Which tokens of a batch of sequences count, and how much. A padding mask is given as `keys` and as `weights`, on
/// whichever side the padding is; `lengths` say the same of padding at the end and cost least.
struct attention_tokens {
  /// True length of each sequence: what lies behind it is neither query nor key, and may be NaN. Default: all of it.
  label_view lengths = {};

  /// A key of 0 is masked for every query; any other number counts. One number, or one per key in the order n, key.
  /// Default 1.
  row_parameter keys = 1;

  /// Of queries: one number, one per sequence, or one per query in the order n, query; finite and >= 0. A query of
  /// weight 0 does not count. Default 1.
  row_parameter weights = 1;
};

/// How the sum over queries and heads becomes a loss. Its `weight` is what it was divided by, or a mean would be.
enum class attention_reduction {
  mean,           ///< of all queries that count, in all heads
  sequence_mean,  ///< of each sequence's mean over its queries and heads
  sum,
};

namespace detail {

/// `attention_tokens` of a batch of sequences x queries x keys.
class token_counts {
 public:
  /// Refuses what does not fit the batch.
  token_counts(char const* where, attention_tokens const& tokens, index sequences, index queries, index keys)
      : tokens_(tokens),
        weights_(where, tokens.weights, {sequences, 1, 1, queries}),
        queries_(queries),
        keys_(keys) {
    index const longest = std::min(queries, keys), lengths = tokens.lengths.size();
    require(
        lengths == 0 || lengths == sequences, where, "tokens.lengths",
        [&] { return "of size " + std::to_string(lengths); },
        [&] { return "one per sequence, " + std::to_string(sequences); });
    for (index n = 0; n < lengths; ++n) {
      require(
          tokens.lengths[n] >= 0 && tokens.lengths[n] <= longest, where, "tokens.lengths",
          [&] { return std::to_string(tokens.lengths[n]) + " at " + std::to_string(n); },
          [&] { return "within [0, " + std::to_string(longest) + "]"; });
    }
    require(
        !tokens.keys.per_row() || tokens.keys.size() == sequences * keys, where, "tokens.keys",
        [&] { return "of size " + std::to_string(tokens.keys.size()); },
        [&] { return "one per key, " + std::to_string(sequences * keys); });
  }

  [[nodiscard]] index queries(index n) const { return length_or(n, queries_); }
  [[nodiscard]] index keys(index n) const { return length_or(n, keys_); }
  [[nodiscard]] bool masks_keys() const { return tokens_.keys.per_row() || tokens_.keys[0] == 0.0; }
  [[nodiscard]] bool says_what_is_masked() const { return tokens_.lengths.size() > 0 || masks_keys(); }
  [[nodiscard]] bool counts_key(index n, index key) const { return tokens_.keys[n * keys_ + key] != 0.0; }
  [[nodiscard]] double weight(index n, index query) const { return weights_.of(n, query); }

  [[nodiscard]] index counted_keys(index n) const {
    index count = keys(n);
    for (index key = 0; masks_keys() && key < keys(n); ++key) count -= counts_key(n, key) ? 0 : 1;
    return count;
  }
  [[nodiscard]] double weight_of_queries(index n) const {
    double sum = 0.0;
    for (index query = 0; query < queries(n); ++query) sum += weight(n, query);
    return sum;
  }
  /// What a sequence's mean weighs among the others.
  [[nodiscard]] double weight_of_mean(index n) const {
    return weights_.per_position() || queries_ == 0 ? 1.0 : weights_.of(n, 0);
  }

 private:
  [[nodiscard]] index length_or(index n, index whole) const {
    return tokens_.lengths.size() == 0 ? whole : static_cast<index>(tokens_.lengths[n]);
  }

  attention_tokens tokens_;
  map_weights weights_;
  index queries_, keys_;
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// What the sums over a sequence's queries are multiplied by, from what each of them counts.
class attention_mean {
 public:
  /// `counted_of(n)`: the weights of all that counts in a sequence, 0 where nothing does.
  template <class CountedOf>
  attention_mean(attention_reduction reduce, detail::token_counts const& tokens, index sequences,
                 CountedOf const& counted_of)
      : factors_(simd::scratch<double, attention_mean>(sequences)) {
    double total = 0.0, means = 0.0;
    for (index n = 0; n < sequences; ++n) {
      double const counted = counted_of(n);
      factors_[n] = counted;
      total += counted;
      if (counted > 0.0) means += tokens.weight_of_mean(n);
    }
    weight_ = reduce == attention_reduction::sequence_mean ? means : total;
    for (index n = 0; n < sequences; ++n) {
      if (!(factors_[n] > 0.0) || !(weight_ > 0.0)) {
        factors_[n] = 0.0;
      } else if (reduce == attention_reduction::sequence_mean) {
        factors_[n] = tokens.weight_of_mean(n) / (factors_[n] * weight_);
      } else {
        factors_[n] = reduce == attention_reduction::mean ? 1.0 / weight_ : 1.0;
      }
    }
  }

  [[nodiscard]] double factor(index n) const { return factors_[n]; }
  /// What the loss was divided by, or would be by a mean.
  [[nodiscard]] double weight() const { return weight_; }

 private:
  double* factors_;
  double weight_;
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
