#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "distil/core/shapes.hpp"

/// Sequences of tokens. A batch of them is a matrix [tokens, vocabulary] like any other, and every row-wise loss takes
/// it; what makes it one of sequences is the weights of its rows (`row_options::weights`), which are made here.
namespace distil {

/// Which side of a padded sequence the padding is on.
enum class padding_side { right, left };

/// Where the sequences of a batch lie among its rows; views the numbers it was made from.
struct token_sequences {
  label_view offsets = {};   ///< packed: where each begins, and where the last ends
  label_view lengths = {};   ///< padded: how many tokens each has
  index padded_length = -1;  ///< rows of each; -1 for packed ones
  padding_side side = padding_side::right;

  [[nodiscard]] index count() const {
    return padded_length >= 0 ? lengths.size() : std::max<index>(0, offsets.size() - 1);
  }
  [[nodiscard]] index first_row(index sequence) const {
    if (padded_length < 0) return static_cast<index>(offsets[sequence]);
    index const begin = sequence * padded_length;
    return side == padding_side::right ? begin : begin + padded_length - length(sequence);
  }
  [[nodiscard]] index length(index sequence) const {
    if (padded_length >= 0) return static_cast<index>(lengths[sequence]);
    return static_cast<index>(offsets[sequence + 1] - offsets[sequence]);
  }
};

/// Sequences one behind the other: the i-th has the rows [offsets[i], offsets[i + 1]). So many offsets and one more as
/// there are sequences, as in `cu_seqlens`.
[[nodiscard]] inline token_sequences packed_sequences(label_view offsets) { return {.offsets = offsets}; }

/// Sequences of `padded_length` rows each, of which the first (or with `padding_side::left` the last) `lengths[i]` are
/// tokens.
[[nodiscard]] inline token_sequences padded_sequences(label_view lengths, index padded_length,
                                                      padding_side side = padding_side::right) {
  return {.lengths = lengths, .padded_length = padded_length, .side = side};
}

/// Over what the mean of a loss is taken.
enum class token_mean {
  over_tokens,    ///< every token counts alike, so that long sequences count more
  over_sequences  ///< the mean over sequences of the mean over the tokens of each
};

/// Options of `token_weights`.
struct token_weight_options {
  /// Default over_tokens.
  token_mean mean = token_mean::over_tokens;

  /// The token mask: tokens with the ignored label do not count, such as those of a prompt. One per row. For a mask of
  /// 0 and 1, `.ignore_label = 0`. Default: every token counts.
  label_view labels = {};

  /// Default -100.
  std::int64_t ignore_label = -100;

  /// Of the tokens that count, only so many at the beginning of each sequence do; or at its end. At most one of the two
  /// is set. Default 0: all.
  index first = 0;
  index last = 0;

  /// Multiplies the weight by exp(-position / decay_length), the position being 0 for the first token of a sequence
  /// that counts; > 0. Default infinity: no decay.
  double decay_length = std::numeric_limits<double>::infinity();
};

/// What the weights come to: numbers to add up over devices and micro-batches for `row_options::normalizer`.
struct token_weight_sums {
  double weight = 0.0;  ///< what a mean divides by if `normalizer` is 0
  index tokens = 0;     ///< that count
  index sequences = 0;  ///< with a token that counts
};

namespace detail {

inline void require_sequences(char const* where, token_sequences const& sequences, index rows) {
  bool const padded = sequences.padded_length >= 0;
  index const count = sequences.count();
  for (index i = 0; i < count; ++i) {
    index const length = sequences.length(i);
    require(
        length >= 0 && (!padded || length <= sequences.padded_length), where, padded ? "lengths" : "offsets",
        [&] {
          return padded ? detail::text_of(length) + " for sequence " + detail::text_of(i)
                        : "falling after sequence " + detail::text_of(i);
        },
        [&] {
          return padded ? "within [0, " + detail::text_of(sequences.padded_length) + "]"
                        : std::string("in order");
        });
  }
  auto const& offsets = sequences.offsets;
  require(padded || offsets.size() > 0, where, "offsets", "empty", "one more than there are sequences");
  require(
      padded || offsets[0] == 0, where, "offsets", [&] { return detail::said("beginning at ", offsets[0]); },
      "beginning at 0");
  index const needed =
      padded ? count * sequences.padded_length : static_cast<index>(offsets[offsets.size() - 1]);
  require(
      rows == needed, where, "weights", [&] { return detail::said("of size ", rows); },
      [&] { return detail::said("one per row, ", needed); });
}

inline void require_options(char const* where, token_weight_options const& options, index rows) {
  require(options.mean == token_mean::over_tokens || options.mean == token_mean::over_sequences, where,
          "mean", static_cast<int>(options.mean), "token_mean::over_tokens or token_mean::over_sequences");
  if (options.labels.size() > 0) require_size(where, "labels", options.labels.size(), rows);
  require(options.first >= 0, where, "first", options.first, ">= 0 (0: all)");
  require(options.last >= 0, where, "last", options.last, ">= 0 (0: all)");
  require(options.first == 0 || options.last == 0, where, "last", "set beside first", "0 then");
  require(options.decay_length > 0.0, where, "decay_length", options.decay_length, "> 0");
}

template <class Weight>
token_weight_sums token_weights(token_sequences const& sequences, std::span<Weight> weights,
                                token_weight_options const& options) {
  constexpr char const* name = "token_weights";
  require_sequences(name, sequences, static_cast<index>(weights.size()));
  require_options(name, options, static_cast<index>(weights.size()));
  auto const counts = [&](index row) {
    return options.labels.size() == 0 || options.labels[row] != options.ignore_label;
  };
  std::fill(weights.begin(), weights.end(), Weight(0));
  token_weight_sums sums;
  for (index i = 0; i < sequences.count(); ++i) {
    index const begin = sequences.first_row(i), end = begin + sequences.length(i);
    index valid = 0;
    for (index row = begin; row < end; ++row) valid += counts(row) ? 1 : 0;
    index const skipped = options.last > 0 ? std::max<index>(0, valid - options.last) : 0;
    index const kept = options.first > 0 ? std::min(valid, options.first) : valid - skipped;
    if (kept == 0) continue;
    double total = 0.0;
    auto const decayed = [&](index position) {
      return std::exp(-static_cast<double>(position) / options.decay_length);
    };
    bool const decays = options.decay_length < std::numeric_limits<double>::infinity();
    for (index position = 0; position < kept; ++position) total += decays ? decayed(position) : 1.0;
    double const divisor = options.mean == token_mean::over_sequences ? total : 1.0;
    for (index row = begin, position = -skipped; row < end && position < kept; ++row) {
      if (!counts(row)) continue;
      if (position >= 0) {
        weights[static_cast<std::size_t>(row)] =
            static_cast<Weight>((decays ? decayed(position) : 1.0) / divisor);
      }
      ++position;
    }
    sums.weight += total / divisor;
    sums.tokens += kept;
    ++sums.sequences;
  }
  return sums;
}

}  // namespace detail

/// Weights of the rows of a batch of sequences, for `row_options::weights` of any row-wise loss. Padding and masked
/// tokens get 0, and a loss does not read rows of weight 0.
///
///   distil::token_weight_sums const own = distil::token_weights(distil::packed_sequences(offsets), weights,
///                                                               {.mean = distil::token_mean::over_sequences});
///   distil::forward_kl.with_grad(student, teacher, gradient, {.rows = {.weights = weights}});
///
/// | wanted                             | mean           | normalizer of the rows                       |
/// |------------------------------------|----------------|----------------------------------------------|
/// | mean over all tokens               | over_tokens    | 0                                            |
/// | mean over sequences of their means | over_sequences | 0                                            |
/// | the same under gradient accumulation or data parallelism | | the sum of `weight` over all batches |
/// | sum over tokens, by a global count | over_tokens    | that count                                   |
/// | sum over the tokens of a sequence, mean over sequences | over_tokens | number of sequences         |
///
/// @throws    std::invalid_argument when lengths, offsets or options are refused; nothing is written then
/// @cost      O(tokens); allocates nothing
inline token_weight_sums token_weights(token_sequences const& sequences, std::span<float> weights,
                                       token_weight_options const& options = {}) {
  return detail::token_weights(sequences, weights, options);
}
inline token_weight_sums token_weights(token_sequences const& sequences, std::span<double> weights,
                                       token_weight_options const& options = {}) {
  return detail::token_weights(sequences, weights, options);
}

}  // namespace distil
