#include "distil/compression/channel_importance.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;
using channels = std::vector<index>;

TEST(channel_importance, is_a_norm_of_the_weights) {
  std::vector<float> const w{3, -4, /**/ 1, 1, /**/ 0, std::nanf("")};
  numbers scores(3);
  norm_importance(matrix_view(w, 3, 2), scores);
  EXPECT_EQ(scores, (numbers{7, 2, 0}));
  norm_importance(matrix_view(w, 3, 2), scores, channel_norm::length);
  EXPECT_EQ(scores, (numbers{5, std::sqrt(2.0), 0}));
  norm_importance(matrix_view(w, 3, 2), scores, channel_norm::squares);
  EXPECT_EQ(scores, (numbers{25, 2, 0}));
  scale_importance(std::vector<float>{-2, 1, 0}, scores);
  EXPECT_EQ(scores, (numbers{2, 1, 0}));
}

TEST(channel_importance, is_the_change_of_the_loss_to_first_order) {
  numbers const w{1, 2, /**/ 3, -1}, g{0.5, -1, /**/ 1, 2};
  numbers scores{1, 1};
  taylor_importance(matrix_view(w, 2, 2), matrix_view(g, 2, 2), scores);
  EXPECT_EQ(scores, (numbers{1 + 1.5 * 1.5, 1 + 1}));
  scores = {0, 0};
  taylor_importance(matrix_view(w, 2, 2), matrix_view(g, 2, 2), scores, taylor_sum::magnitude_of_sum);
  EXPECT_EQ(scores, (numbers{1.5, 1}));
  scores = {0, 0};
  taylor_importance(matrix_view(w, 2, 2), matrix_view(g, 2, 2), scores, taylor_sum::magnitudes);
  EXPECT_EQ(scores, (numbers{2.5, 5}));
}

TEST(channel_importance, scales_layers_to_be_compared) {
  numbers scores{1, 2, 6};
  auto const scaled = [&](importance_scale scale) {
    numbers result = scores;
    scale_scores(result, scale);
    return result;
  };
  EXPECT_EQ(scaled(importance_scale::none), scores);
  EXPECT_EQ(scaled(importance_scale::mean), (numbers{1.0 / 3, 2.0 / 3, 2}));
  EXPECT_EQ(scaled(importance_scale::maximum), (numbers{1.0 / 6, 2.0 / 6, 1}));
  EXPECT_EQ(scaled(importance_scale::length)[2], 6 / std::sqrt(41.0));
}

TEST(kept_channels, are_those_with_the_largest_scores) {
  numbers const scores{0.3, 0.9, 0.1, 0.9, 0.3, 0.3};
  EXPECT_EQ(kept_channels(scores, 0.5), (channels{0, 1, 3}));  // of equal ones the first
  EXPECT_EQ(kept_channels(scores, 0.0), (channels{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(kept_channels(scores, 1.0), (channels{1}));
  EXPECT_EQ(kept_channels(scores, 1.0, {.at_least = 0}), channels());
  EXPECT_EQ(kept_channels(scores, 0.5, {.multiple_of = 4}), (channels{0, 1, 3, 4}));
  EXPECT_EQ(kept_channels(scores, 0.1, {.multiple_of = 4}).size(), 6U);
  EXPECT_EQ(kept_channels({}, 0.5), channels());
}

TEST(kept_channels, of_layers_have_one_threshold) {
  numbers const first{5, 4, 3, 2}, second{1, 0.5}, third{10, 0.1};
  std::array const layers{std::span<double const>(first), std::span<double const>(second),
                          std::span<double const>(third)};
  auto const kept = kept_channels_of_layers(layers, 0.5);
  EXPECT_EQ(kept[0], (channels{0, 1, 2}));
  EXPECT_EQ(kept[1], (channels{0}));  // none was earned
  EXPECT_EQ(kept[2], (channels{0}));
  std::vector<float> const biases{1, 2, 3, 4};
  EXPECT_EQ(of_kept<float>(biases, kept[0]), (std::vector<float>{1, 2, 3}));
}

TEST(channel_importance, refuses) {
  numbers const w{1, 2};
  numbers scores(3);
  EXPECT_EQ(refusal_of([&] { norm_importance(matrix_view(w, 1, 2), scores); }),
            "distil::norm_importance: weights is 1 x 2; it must be of a row for each score, 3");
  EXPECT_EQ(refusal_of([&] { (void)kept_channels(scores, 1.5); }),
            "distil::kept_channels: sparsity is 1.5; it must be within [0, 1]");
  EXPECT_EQ(refusal_of([&] { (void)of_kept<double>(w, channels{2}); }),
            "distil::of_kept: channel is 2; it must be within [0, 2)");
}

}  // namespace
}  // namespace distil
