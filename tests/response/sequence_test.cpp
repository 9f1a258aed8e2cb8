#include "distil/response/sequence.hpp"

#include <gtest/gtest.h>

#include "../support/allocations.hpp"
#include "../support/batches.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

using weights = std::vector<double>;

weights weights_of(token_sequences const& sequences, index rows, token_weight_options const& options,
                   token_weight_sums* sums = nullptr) {
  weights result(static_cast<std::size_t>(rows), -1.0);
  token_weight_sums const found = token_weights(sequences, result, options);
  expect_no_allocation("token_weights", [&] { token_weights(sequences, result, options); });
  if (sums != nullptr) *sums = found;
  return result;
}

TEST(sequence, packed_tokens_count_alike) {
  std::vector<std::int64_t> const offsets = {0, 3, 3, 5};
  token_weight_sums sums;
  EXPECT_EQ(weights_of(packed_sequences(offsets), 5, {}, &sums), (weights{1, 1, 1, 1, 1}));
  EXPECT_EQ(sums.weight, 5.0);
  EXPECT_EQ(sums.tokens, 5);
  EXPECT_EQ(sums.sequences, 2) << "an empty one does not count";
}

TEST(sequence, padding_has_no_weight_on_either_side) {
  std::vector<std::int32_t> const lengths = {2, 0, 3};
  EXPECT_EQ(weights_of(padded_sequences(lengths, 3), 9, {}), (weights{1, 1, 0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(weights_of(padded_sequences(lengths, 3, padding_side::left), 9, {}),
            (weights{0, 1, 1, 0, 0, 0, 1, 1, 1}));
}

TEST(sequence, weights_of_a_sequence_sum_to_one) {
  std::vector<std::int32_t> const lengths = {2, 4};
  std::vector<std::int32_t> const labels = {7, 7, 0, 0, -100, 5, -100, 5};
  token_weight_sums sums;
  EXPECT_EQ(weights_of(padded_sequences(lengths, 4), 8, {.mean = token_mean::over_sequences}, &sums),
            (weights{0.5, 0.5, 0, 0, 0.25, 0.25, 0.25, 0.25}));
  EXPECT_EQ(sums.weight, 2.0);
  EXPECT_EQ(weights_of(padded_sequences(lengths, 4), 8,
                       {.mean = token_mean::over_sequences, .labels = labels}, &sums),
            (weights{0.5, 0.5, 0, 0, 0, 0.5, 0, 0.5}));
  EXPECT_EQ(sums.tokens, 4);
}

TEST(sequence, masks_by_zeros_and_ones_too) {
  std::vector<std::int32_t> const offsets = {0, 2, 4};
  std::vector<std::int64_t> const mask = {0, 0, 1, 0};
  token_weight_sums sums;
  EXPECT_EQ(weights_of(packed_sequences(offsets), 4, {.labels = mask, .ignore_label = 0}, &sums),
            (weights{0, 0, 1, 0}));
  EXPECT_EQ(sums.sequences, 1);
}

TEST(sequence, keeps_the_first_or_the_last_that_count) {
  std::vector<std::int32_t> const offsets = {0, 5, 6};
  std::vector<std::int32_t> const labels = {-100, 1, 1, -100, 1, 1};
  auto const sequences = packed_sequences(offsets);
  EXPECT_EQ(weights_of(sequences, 6, {.labels = labels, .first = 2}), (weights{0, 1, 1, 0, 0, 1}));
  EXPECT_EQ(weights_of(sequences, 6, {.labels = labels, .last = 2}), (weights{0, 0, 1, 0, 1, 1}));
  EXPECT_EQ(weights_of(sequences, 6, {.last = 9}), (weights{1, 1, 1, 1, 1, 1}));
}

TEST(sequence, decays_with_the_position_among_those_that_count) {
  std::vector<std::int32_t> const offsets = {0, 4, 6};
  std::vector<std::int32_t> const labels = {-100, 1, 1, 1, 1, 1};
  double const e = std::exp(-1.0 / 3.0);
  auto const sequences = packed_sequences(offsets);
  token_weight_sums sums;
  auto const found = weights_of(sequences, 6, {.labels = labels, .decay_length = 3.0}, &sums);
  weights const expected = {0, 1, e, e * e, 1, e};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], expected[i], 1e-15);
  EXPECT_NEAR(sums.weight, 2 + 2 * e + e * e, 1e-15);
  auto const normalised =
      weights_of(sequences, 6, {.mean = token_mean::over_sequences, .last = 2, .decay_length = 1e-3}, &sums);
  EXPECT_EQ(normalised, (weights{0, 0, 1, 0, 1, 0})) << "the first of those kept has position 0";
  EXPECT_EQ(sums.weight, 2.0);
}

TEST(sequence, makes_a_loss_the_mean_over_sequences_or_over_tokens) {
  index const lengths[] = {3, 5, 1};
  std::vector<std::int32_t> const offsets = {0, 3, 8, 9};
  batch<double> b(9, 20);
  std::vector<double> values(9);
  (void)forward_kl(b.student.view(), b.teacher.view(), {.rows = {.values = values}});
  double over_sequences = 0, over_tokens = 0;
  std::size_t row = 0;
  for (index const length : lengths) {
    double sum = 0;
    for (index i = 0; i < length; ++i) sum += values[row++];
    over_sequences += sum / static_cast<double>(length) / 3;
    over_tokens += sum / 9;
  }
  std::vector<float> w(9);
  token_weights(packed_sequences(offsets), w, {.mean = token_mean::over_sequences});
  EXPECT_NEAR(forward_kl(b.student.view(), b.teacher.view(), {.rows = {.weights = w}}), over_sequences, 1e-7);
  auto const own = token_weights(packed_sequences(offsets), w);
  EXPECT_NEAR(forward_kl(b.student.view(), b.teacher.view(), {.rows = {.weights = w}}), over_tokens, 1e-14);
  EXPECT_NEAR(
      forward_kl(b.student.view(), b.teacher.view(), {.rows = {.weights = w, .normalizer = own.weight + 9}}),
      over_tokens / 2, 1e-14);
}

TEST(sequence, refuses) {
  weights w(6, 42.0);
  auto const refusal = [&](token_sequences const& sequences, token_weight_options const& options = {}) {
    std::string const text = refusal_of([&] { token_weights(sequences, w, options); });
    EXPECT_EQ(w, weights(6, 42.0)) << "something was written";
    return text;
  };
  std::vector<std::int32_t> const lengths = {2, 4}, negative = {-1, 2}, good = {1, 2};
  std::vector<std::int32_t> const falling = {0, 4, 3, 6}, late = {1, 6}, short_ones = {0, 5}, none,
                                  offsets = {0, 6};
  EXPECT_EQ(refusal(padded_sequences(lengths, 3)),
            "distil::token_weights: lengths is 4 for sequence 1; it must be within [0, 3]");
  EXPECT_EQ(refusal(padded_sequences(negative, 3)),
            "distil::token_weights: lengths is -1 for sequence 0; it must be within [0, 3]");
  EXPECT_EQ(refusal(padded_sequences(good, 4)),
            "distil::token_weights: weights is of size 6; it must be one per row, 8");
  EXPECT_EQ(refusal(packed_sequences(falling)),
            "distil::token_weights: offsets is falling after sequence 1; it must be in order");
  EXPECT_EQ(refusal(packed_sequences(late)),
            "distil::token_weights: offsets is beginning at 1; it must be beginning at 0");
  EXPECT_EQ(refusal(packed_sequences(short_ones)),
            "distil::token_weights: weights is of size 6; it must be one per row, 5");
  EXPECT_EQ(refusal(packed_sequences(none)),
            "distil::token_weights: offsets is empty; it must be one more than there are sequences");
  EXPECT_EQ(refusal(packed_sequences(offsets), {.labels = lengths}),
            "distil::token_weights: labels is of size 2; it must be one per row, 6");
  EXPECT_EQ(refusal(packed_sequences(offsets), {.first = -1}),
            "distil::token_weights: first is -1; it must be >= 0 (0: all)");
  EXPECT_EQ(refusal(packed_sequences(offsets), {.last = -2}),
            "distil::token_weights: last is -2; it must be >= 0 (0: all)");
  EXPECT_EQ(refusal(packed_sequences(offsets), {.first = 1, .last = 1}),
            "distil::token_weights: last is set beside first; it must be 0 then");
  EXPECT_EQ(refusal(packed_sequences(offsets), {.decay_length = 0}),
            "distil::token_weights: decay_length is 0; it must be > 0");
  EXPECT_EQ(
      refusal(packed_sequences(offsets), {.mean = static_cast<token_mean>(5)}),
      "distil::token_weights: mean is 5; it must be token_mean::over_tokens or token_mean::over_sequences");
}

}  // namespace
}  // namespace distil::testing
