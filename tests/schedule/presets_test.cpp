#include "distil/schedule/presets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace distil::schedule::presets {
namespace {

TEST(presets, soft_weights_fall_within_the_ranges_of_practice) {
  for (cosine const& schedule :
       {soft_weight_decay(), soft_weight_decay_gentle(), soft_weight_decay_steep()}) {
    EXPECT_GE(schedule(0), 0.7);
    EXPECT_LE(schedule(0), 0.9);
    EXPECT_GE(schedule(1), 0.3);
    EXPECT_LE(schedule(1), 0.5);
  }
  EXPECT_EQ(soft_weight_decay()(0), 0.8);
  EXPECT_EQ(soft_weight_decay()(1), 0.4);
  EXPECT_EQ(soft_weight_decay_gentle()(0), 0.7);
  EXPECT_EQ(soft_weight_decay_gentle()(1), 0.5);
  EXPECT_EQ(soft_weight_decay_steep()(0), 0.9);
  EXPECT_EQ(soft_weight_decay_steep()(1), 0.3);
}

TEST(presets, dkd_warm_up_is_the_published_factor) {
  for (int epoch = 0; epoch <= 240; ++epoch) EXPECT_EQ(dkd_warm_up().at(epoch), std::min(epoch / 20.0, 1.0));
  EXPECT_EQ(dkd_warm_up(1).at(0.5), 0.5);
}

TEST(presets, ctkd_curriculum_is_the_published_curve) {
  for (int epoch = 0; epoch <= 240; ++epoch) {
    double const x = std::min(epoch, 10) / 10.0;
    EXPECT_NEAR(ctkd_curriculum().at(epoch), 0.5 * (1 - std::cos(std::numbers::pi * x)), 1e-15);
  }
  EXPECT_EQ(ctkd_curriculum().at(0), 0);
  EXPECT_EQ(ctkd_curriculum().at(10), 1);
  EXPECT_EQ(ctkd_curriculum(5).at(5), 1);
}

}  // namespace
}  // namespace distil::schedule::presets
