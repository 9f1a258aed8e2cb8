#include "distil/feature/masked_generative.hpp"

#include "../support/cases/masked_generative.hpp"
#include "../support/pair_suite.hpp"
#include "distil/feature/feature_mask.hpp"

namespace distil::testing {
namespace {

pair_suites<masked_generative_case> const suites("masked_generative");

TEST(masked_generative, weighs_samples_and_positions) {
  std::vector<float> const of_samples = {0.5F, 0.0F, 2.0F};
  std::vector<double> of_positions(36, 1.0);
  for (std::size_t i = 12; i < 24; ++i) of_positions[i] = 0.0;
  for (auto s : masked_generative_case::settings()) {
    pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
    s.options.weights = of_samples;
    expect_pair<masked_generative_case>(b, s, "samples weighed");
    s.options.weights = of_positions;
    expect_pair<masked_generative_case>(b, s, "positions weighed");
  }
}

constexpr map_shape mask_shape = {4, 6, 5, 7};

TEST(feature_mask, hides_what_it_says_in_every_layout) {
  for (auto const over : {mask_over::positions, mask_over::channels}) {
    feature_mask_options const options{.share = 0.4, .over = over, .seed = 7};
    for (map_layout const order : every_layout) {
      owned_map<float> features(mask_shape, order), masked(mask_shape, order);
      features.fill([](index n, index c, index y, index x) {
        return 1 + static_cast<double>(((n * 6 + c) * 5 + y) * 7 + x);
      });
      feature_mask(parallel, features.map(), masked.map(), options);
      for_each_element(mask_shape, [&](index n, index c, index y, index x) {
        bool const hidden = feature_mask.hides(options, n, over == mask_over::channels ? c : y * 7 + x);
        EXPECT_EQ(masked.at(n, c, y, x), hidden ? 0.0 : features.at(n, c, y, x));
      });
      EXPECT_EQ(masked.damaged_guards(), 0);
    }
  }
}

TEST(feature_mask, hides_its_share) {
  for (double const share : {0.0, 0.15, 0.65, 1.0}) {
    int hidden = 0;
    for (index n = 0; n < 100; ++n) {
      for (index p = 0; p < 1000; ++p)
        hidden += feature_mask.hides({.share = share, .seed = 3}, n, p) ? 1 : 0;
    }
    EXPECT_NEAR(hidden / 1e5, share, 5e-3);
  }
}

TEST(feature_mask, is_the_same_on_every_machine_and_other_with_every_seed) {
  std::string hidden;
  for (index p = 0; p < 32; ++p) hidden += feature_mask.hides({.share = 0.5, .seed = 1}, 0, p) ? 'x' : '.';
  int same = 0;
  for (index p = 0; p < 1000; ++p) {
    same += feature_mask.hides({.share = 0.5, .seed = 1}, 0, p) ==
            feature_mask.hides({.share = 0.5, .seed = 2}, 0, p);
  }
  EXPECT_NEAR(same, 500, 60);
  EXPECT_EQ(hidden, "x.x.x..xxx..x..x..xx.x..xx..xx.x");
}

TEST(feature_mask, pulls_back_in_place_and_adds) {
  feature_mask_options options{.share = 0.5, .seed = 5};
  owned_map<double> upstream(mask_shape, map_layout::padded), sum(mask_shape, map_layout::channels_last);
  upstream.fill(3.0), sum.fill(0.5);
  options.accumulate = true;
  feature_mask.pull_back(upstream.map(), sum.map(), options);
  options.accumulate = false;
  feature_mask.pull_back(parallel, upstream.map(), upstream.map(), options);
  for_each_element(mask_shape, [&](index n, index c, index y, index x) {
    double const expected = feature_mask.hides(options, n, y * 7 + x) ? 0.0 : 3.0;
    EXPECT_EQ(upstream.at(n, c, y, x), expected);
    EXPECT_EQ(sum.at(n, c, y, x), expected + 0.5);
  });
}

TEST(feature_mask, goes_on_in_the_middle_of_a_batch) {
  owned_map<double> features(mask_shape, map_layout::channels_first);
  owned_map<double> half_batch({2, 6, 5, 7}, map_layout::channels_first);
  features.fill(1.0), half_batch.fill(1.0);
  feature_mask(features.map(), features.map(), {.seed = 9});
  feature_mask(half_batch.map(), half_batch.map(), {.seed = 9, .first_sample = 2});
  for_each_element(half_batch.shape(), [&](index n, index c, index y, index x) {
    EXPECT_EQ(half_batch.at(n, c, y, x), features.at(n + 2, c, y, x));
  });
}

TEST(feature_mask, refuses) {
  owned_map<float> features(mask_shape, map_layout::channels_first),
      other({4, 6, 5, 6}, map_layout::channels_first);
  EXPECT_EQ(refusal_of([&] { feature_mask(features.map(), features.map(), {.share = 1.5}); }),
            "distil::feature_mask: share is 1.5; it must be within [0, 1]");
  EXPECT_EQ(refusal_of([&] { feature_mask(features.map(), other.map()); }),
            "distil::feature_mask: output is 4 x 6 x 5 x 6; it must be 4 x 6 x 5 x 7 as the input");
}

}  // namespace
}  // namespace distil::testing
