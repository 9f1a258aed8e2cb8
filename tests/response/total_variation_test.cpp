#include "distil/response/total_variation.hpp"

#include "../support/cases/total_variation.hpp"
#include "../support/divergence_laws.hpp"

namespace distil::testing {
namespace {

row_suites<total_variation_case> const suites("total_variation");

TEST(total_variation, obeys_the_laws) {
  expect_slope_of_temperature<total_variation_case>();
  expect_teacher_temperature<total_variation_case>(total_variation);
  expect_accurate_near_zero<total_variation_case>(4e-6);
}

TEST(total_variation, of_strangers_is_one) {
  batch<float> b(1, 4);
  for (index c = 0; c < 4; ++c) (c < 2 ? b.student : b.teacher).set(0, c, minus_infinity);
  EXPECT_NEAR(total_variation.with_grad(b.student.view(), b.teacher.view(), b.gradient.view()), 1.0, 1e-6);
  for (index c = 0; c < 4; ++c) EXPECT_NEAR(b.gradient.at(0, c), 0.0, 1e-6);
}

}  // namespace
}  // namespace distil::testing
