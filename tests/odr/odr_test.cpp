#include <gtest/gtest.h>

#include "unit.hpp"

namespace {

bool runs_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

TEST(TwoUnits, TheBaselineUnitRunsItsOwnCode) {
  observation const found = unit_v2::observe();
  EXPECT_EQ(found.seen_lanes, found.expected_lanes);
}

TEST(TwoUnits, TheWiderUnitRunsItsOwnCode) {
  if (!runs_v3()) GTEST_SKIP() << "this machine has no AVX2";
  observation const found = unit_v3::observe();
  EXPECT_EQ(found.seen_lanes, found.expected_lanes);
}

TEST(TwoUnits, BothFindTheSameLoss) {
  if (!runs_v3()) GTEST_SKIP() << "this machine has no AVX2";
  observation const narrow = unit_v2::observe();
  observation const wide = unit_v3::observe();
  EXPECT_GT(narrow.loss, 0);
  EXPECT_GT(narrow.gradient, 0);
  EXPECT_NEAR(narrow.loss, wide.loss, 1e-5 * narrow.loss);
  EXPECT_NEAR(narrow.gradient, wide.gradient, 1e-5 * narrow.gradient);
}

}  // namespace
