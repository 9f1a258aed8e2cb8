#pragma once

#include <limits>
#include <optional>

#include "distil/attention/tokens/attention_maps.hpp"

namespace distil {

struct attention_scores_options {
  /// Scores up to here count as masked: they become 0 on their side first, and have no gradient. Not NaN. Default: -inf
  /// where `tokens` has lengths or a mask of keys, which leaves all other scores what they are; else -1e2, as TinyBERT.
  /// TextBrewer takes -1e-3, which also drops small negative scores that are meant.
  std::optional<double> masked_to = std::nullopt;

  /// Default: every head with the teacher's of its number.
  attention_heads heads = attention_heads::each;

  /// Lengths, masks and weights of the tokens. What is masked here does not count; what `masked_to` masks does, as 0.
  attention_tokens tokens = {};

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its scores hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over all entries that count.
  attention_reduction reduce = attention_reduction::mean;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `attention_scores`.
struct attention_scores_loss : pair_loss<attention_scores_loss, attention_scores_options> {
  static constexpr char const* name = "attention_scores";
  static constexpr error_bound bound{.value = 8, .gradient = 8};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    attention_scores_options const& options) {
    kernels::check_attention(name, student, teacher, options.heads);
    double const masked_to = options.masked_to.value_or(0.0);
    detail::require(masked_to == masked_to, name, "masked_to", masked_to, "a number");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             attention_scores_options const& options) {
    index const sequences = operands.student.samples, size = operands.student.sample_size();
    detail::token_counts const tokens(name, options.tokens, sequences, operands.student.height,
                                      operands.student.width);
    kernels::attention_maps<T> const maps(operands, options.heads, tokens);
    kernels::attention_mean const mean(options.reduce, tokens, sequences, [&](index n) {
      return tokens.weight_of_queries(n) * static_cast<double>(maps.heads() * tokens.counted_keys(n));
    });
    double const by_default = tokens.says_what_is_masked() ? -std::numeric_limits<double>::infinity() : -1e2;
    simd::lanes<T> const masked_to(detail::rounded_down<T>(options.masked_to.value_or(by_default))),
        nothing(0);
    double const sum = simd::sum_chunks(
        policy, sequences, simd::worth_a_chunk(size), sequences * size, [&](index first, index last, index) {
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            maps.sequence(n, [&](index, index query, T const* s, T const* t, index keys, T* slope) {
              double const weight = tokens.weight(n, query) * mean.factor(n);
              simd::lanes<T> const twice(static_cast<T>(2.0 * weight));
              total += weight * static_cast<double>(simd::sum_of<T>(keys, [&](auto place) {
                         simd::lanes<T> const own = place.load(s), other = place.load(t);
                         auto const masked = own <= masked_to;
                         simd::lanes<T> const d =
                             select(masked, nothing, own) - select(other <= masked_to, nothing, other);
                         place.store(select(masked, nothing, d * twice), slope);
                         return d * d;
                       }));
            });
          }
          return total;
        });
    return {sum, mean.weight()};
  }
};

/// The student's attention scores are the teacher's, number for number. @alias TinyBERT attention loss, att_mse, att_mse_sum
///
/// @formula   L = mean (m(s) - m(t))^2 over sequences, heads, queries and keys that count, m(x) = x above `masked_to`
///            and 0 up to it; heads brought together are so before m
/// @param     student  scores before the softmax, sequences x heads x queries x keys
/// @param     teacher  of the student's shape; with heads brought together its number of heads is free
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  2 w (s - m(t)) / n above `masked_to`, 0 up to it; shared out to the heads that were brought together
/// @throws    std::invalid_argument when a shape, option, mask or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient. Scores
///            brought together are rounded before their difference is taken
/// @nan       NaN makes the value and the gradient at these entries NaN; masked keys and queries that do not count may
///            be NaN. Without entries that count: 0
/// @cost      reads two maps and writes one; a map of scratch a thread for other layouts and types
/// @source    Jiao et al. 2020, TinyBERT, equation 7: weight 1, scores without the softmax, uniform_layers.
///            TextBrewer's att_mse_loss has masked_to = -1e-3, att_mse_sum_loss heads = sum besides; given a mask, both
///            leave masked_to out, as here, and count as `tokens.keys` and `tokens.weights` do
/// @example   distil::attention_scores.with_grad(student, teacher, gradient)
inline constexpr attention_scores_loss attention_scores{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
