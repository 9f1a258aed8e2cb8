#include "distil/tuning/cross_validation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::tuning {
namespace {

using distil::testing::refusal_of;

TEST(cross_validation, validates_every_sample_once) {
  auto const folds = cross_validation(23, {.folds = 4, .seed = 3});
  std::set<index> seen;
  for (fold const& each : folds) {
    EXPECT_EQ(each.training.size() + each.validation.size(), 23U);
    EXPECT_TRUE(each.validation.size() == 5 || each.validation.size() == 6);
    std::set<index> all(each.training.begin(), each.training.end());
    for (index const sample : each.validation) {
      EXPECT_TRUE(seen.insert(sample).second);
      EXPECT_TRUE(all.insert(sample).second);
    }
    EXPECT_EQ(all.size(), 23U);
  }
  EXPECT_EQ(seen.size(), 23U);
  EXPECT_EQ(cross_validation(23, {.folds = 4, .seed = 3})[1].validation, folds[1].validation);
  EXPECT_NE(cross_validation(23, {.folds = 4, .seed = 4})[1].validation, folds[1].validation);
}

TEST(cross_validation, spreads_classes_alike) {
  std::vector<int> labels;
  for (int i = 0; i < 60; ++i) labels.push_back(i < 40 ? 0 : i < 55 ? 1 : 2);
  for (fold const& each : cross_validation(60, {.folds = 5, .labels = labels})) {
    std::array<int, 3> counts{};
    for (index const sample : each.validation)
      ++counts.at(static_cast<std::size_t>(labels[static_cast<std::size_t>(sample)]));
    EXPECT_EQ(counts, (std::array<int, 3>{8, 3, 1}));
  }
}

TEST(cross_validation, sums_up_and_refuses) {
  summary const found = mean_and_error(std::array{1.0, 2.0, 6.0});
  EXPECT_EQ(found.mean, 3.0);
  EXPECT_NEAR(found.error, std::sqrt(14.0 / 2 / 3), 1e-15);
  EXPECT_EQ(mean_and_error(std::array{4.0}).error, 0.0);
  EXPECT_EQ(refusal_of([] { (void)cross_validation(3, {.folds = 4}); }),
            "distil::tuning::cross_validation: folds is 4; it must be within [2, 3], the number of samples");
}

}  // namespace
}  // namespace distil::tuning
