#pragma once

#include <limits>

#include "distil/attention/tokens/attention_maps.hpp"
#include "distil/attention/tokens/soft_attention.hpp"

namespace distil {

struct attention_divergence_options {
  /// Softens both sides' attention: one number, or one per head that is compared; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Multiplies each head's part by the square of its temperature. Default false.
  bool scale_by_temperature_squared = false;

  attention_divergence_kind kind = attention_divergence_kind::kl;

  /// Default: every head with the teacher's of its number.
  attention_heads heads = attention_heads::each;

  /// Keys at which the teacher's score is not above this drop out of the sum, but not out of the softmax: a cross entropy
  /// alone. TextBrewer without a mask: -1e-3. Default -inf, none.
  double dropped_to = -std::numeric_limits<double>::infinity();

  /// Lengths, masks and weights of the tokens.
  attention_tokens tokens = {};

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its scores hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over all queries that count, in all heads.
  attention_reduction reduce = attention_reduction::mean;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the derivative by each temperature. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `attention_divergence`.
struct attention_divergence_loss : pair_loss<attention_divergence_loss, attention_divergence_options> {
  static constexpr char const* name = "attention_divergence";
  static constexpr error_bound bound{.value = 8, .gradient = 8, .temperature_gradient = 1};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    attention_divergence_options const& options) {
    kernels::check_attention(name, student, teacher, options.heads);
    kernels::head_temperatures::check(name, options.temperature, options.temperature_gradient,
                                      options.heads == attention_heads::each ? student[1] : 1);
    bool const drops = !(options.dropped_to == -std::numeric_limits<double>::infinity());
    detail::require(!drops || options.kind == attention_divergence_kind::cross_entropy, name, "dropped_to",
                    options.dropped_to, "-inf unless kind is cross_entropy");
    detail::require(!std::isnan(options.dropped_to), name, "dropped_to", options.dropped_to, "a number");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             attention_divergence_options const& options) {
    index const sequences = operands.student.samples, size = operands.student.sample_size(),
                keys = operands.student.width;
    detail::token_counts const tokens(name, options.tokens, sequences, operands.student.height, keys);
    struct of_counts {};
    double* const counts = simd::scratch<double, of_counts>(sequences);
    kernels::pair_operands<T> const scores{operands.student, operands.teacher, {}};
    kernels::attention_maps<T> const read(scores, options.heads, tokens),
        maps(operands, options.heads, tokens);
    simd::for_chunks(policy, sequences, simd::worth_a_chunk(size), sequences * size,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         counts[n] = 0.0;
                         read.sequence(n, [&](index, index query, T const* s, T const* t, index width, T*) {
                           if (shows_any(s, width) && shows_any(t, width))
                             counts[n] += tokens.weight(n, query);
                         });
                       }
                     });
    kernels::attention_mean const mean(options.reduce, tokens, sequences, [&](index n) { return counts[n]; });
    kernels::head_temperatures const temperatures(options.temperature, options.temperature_gradient,
                                                  options.scale_by_temperature_squared);
    kernels::soft_attention<T> const compare{options.kind, temperatures.wants_gradient(),
                                             detail::rounded_down<T>(options.dropped_to)};
    double const sum = simd::sum_chunks(
        policy, sequences, simd::worth_a_chunk(size), sequences * size,
        [&](index first, index last, index chunk) {
          struct of_softmax {};
          T* const memory = simd::scratch<T, of_softmax>(keys);
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            maps.sequence(n, [&](index head, index query, T const* s, T const* t, index width, T* slope) {
              T const scale = static_cast<T>(1.0 / temperatures[head]);
              double const weight = tokens.weight(n, query) * mean.factor(n);
              auto const found = compare(s, scale, t, scale, width, slope, memory);
              total += weight * temperatures.factor(head) * static_cast<double>(found.value);
              temperatures.add(chunk, head, weight, found);
              simd::lanes<T> const by_score(
                  static_cast<T>(weight * temperatures.factor(head) / temperatures[head]));
              simd::for_each_register<T>(
                  width, [&](auto place) { place.store(place.load(slope) * by_score, slope); });
            });
          }
          return total;
        });
    temperatures.finish();
    return {sum, mean.weight()};
  }

 private:
  /// Is any entry not masked? Mostly the first.
  template <class T>
  static bool shows_any(T const* row, index size) {
    return std::any_of(row, row + size, [](T entry) { return !(entry == -simd::infinity<T>); });
  }
};

/// The student attends as the teacher does. @alias attention distillation, MiniLM attention transfer, att_ce, att_ce_mean
///
/// @formula   L = mean over sequences, heads and queries that count of D(p, q), p = softmax(t / T) and q = softmax(s /
///            T) over the keys; D is sum p (log p - log q) or -sum p log q
/// @param     student  scores before the softmax, sequences x heads x queries x keys; -inf is a masked key
/// @param     teacher  of the student's shape; with heads brought together its number of heads is free
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  w (q - p) / (T n), with m q in place of q where only a part m of p is not dropped, shared out to the
///            heads that were brought together; by T see `temperature_gradient`
/// @throws    std::invalid_argument when a shape, option, mask or weight is refused; nothing is written then
/// @error     `bound` epsilons of T^2 (1 + s) for the value where T^2 is wanted, of 1 + s
///            elsewhere, s the largest scaled distance of a score from its row's top; of (1 + s) / (T n) for the
///            gradient; by the temperature of what is for the value, over T
/// @nan       NaN in a row makes the value and the row's gradient NaN; masked keys and queries that do not count may be
///            NaN. A row that is fully masked on a side counts for nothing; the student's mask where the teacher
///            attends: +inf. Without rows that count: 0
/// @cost      reads two maps and writes one, two exponentials an entry; a map of scratch a thread for other layouts and
///            types
/// @source    TextBrewer att_ce_loss is kind = cross_entropy with dropped_to = -1e-3, att_ce_mean_loss with heads =
///            mean besides; given a mask, both leave masked keys in the softmax, which differs where their scores are
///            not as good as -inf. Wang et al. 2020, MiniLM, equation 3 is the default with reduce = sequence_mean
/// @example   distil::attention_divergence.with_grad(student, teacher, gradient, {.temperature = 2, .tokens = {.lengths = lengths}})
inline constexpr attention_divergence_loss attention_divergence{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
