#include "distil/response/reverse_kl.hpp"

#include "../support/cases/reverse_kl.hpp"
#include "../support/divergence_laws.hpp"

namespace distil::testing {
namespace {

row_suites<reverse_kl_case> const suites("reverse_kl");

TEST(reverse_kl, obeys_the_laws) {
  expect_slope_of_temperature<reverse_kl_case>();
  expect_teacher_temperature<reverse_kl_case>(reverse_kl);
  expect_accurate_near_zero<reverse_kl_case>();
}

TEST(reverse_kl, is_infinite_where_only_the_teacher_is_masked_and_says_so) {
  batch<float> b(3, 5);
  b.teacher.set(1, 2, minus_infinity);
  std::vector<double> values(3);
  reverse_kl.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.rows = {.values = values}});
  EXPECT_EQ(values[1], std::numeric_limits<double>::infinity());
  for (index c = 0; c < 5; ++c) {
    EXPECT_TRUE(std::isnan(b.gradient.at(1, c)));
    EXPECT_TRUE(std::isfinite(b.gradient.at(0, c)) && std::isfinite(b.gradient.at(2, c)));
  }
  b.student.set(1, 2, minus_infinity);  // masked on both sides
  reverse_kl.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.rows = {.values = values}});
  EXPECT_LT(values[1], 20.0);
  EXPECT_EQ(b.gradient.at(1, 2), 0.0);
}

}  // namespace
}  // namespace distil::testing
