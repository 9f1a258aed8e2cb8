#include "distil/response/negative_log_overlap.hpp"

#include "../support/cases/negative_log_overlap.hpp"
#include "../support/divergence_laws.hpp"

namespace distil::testing {
namespace {

row_suites<negative_log_overlap_case> const suites("negative_log_overlap");

TEST(negative_log_overlap, obeys_the_laws) {
  expect_slope_of_temperature<negative_log_overlap_case>();
  expect_teacher_temperature<negative_log_overlap_case>(negative_log_overlap);
  expect_accurate_near_zero<negative_log_overlap_case>(4e-6);
}

TEST(negative_log_overlap, of_strangers_is_infinite_with_gradient_zero) {
  batch<float> b(1, 4);
  for (index c = 0; c < 4; ++c) (c < 2 ? b.student : b.teacher).set(0, c, minus_infinity);
  double const value = negative_log_overlap.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  EXPECT_EQ(value, std::numeric_limits<double>::infinity());
  for (index c = 0; c < 4; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(negative_log_overlap, knows_an_overlap_that_no_number_holds) {
  batch<float> b(1, 2);
  b.student.set(0, 0, 0), b.student.set(0, 1, 1000);
  b.teacher.set(0, 0, 2000), b.teacher.set(0, 1, 0);
  double const value = negative_log_overlap.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  EXPECT_NEAR(value, 1000.0, 1e-3);  // min is e^-1000 at the first class, e^-2000 at the second
  EXPECT_NEAR(b.gradient.at(0, 0), -1.0, 1e-6);
  EXPECT_NEAR(b.gradient.at(0, 1), 1.0, 1e-6);
}

TEST(negative_log_overlap, of_a_negative_probability_is_nan) {
  batch<double> b(2, 4);
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 4; ++c) b.teacher.set(r, c, r == 1 && c == 2 ? -0.25 : 0.25);
  }
  std::vector<double> rows(2);
  negative_log_overlap.with_grad(b.student.view(), probabilities(b.teacher.view()), b.gradient.view(),
                                 {.rows = {.values = rows}});
  EXPECT_TRUE(std::isfinite(rows[0]));
  EXPECT_TRUE(std::isnan(rows[1]));
  for (index c = 0; c < 4; ++c) EXPECT_TRUE(std::isnan(b.gradient.at(1, c)));
}

}  // namespace
}  // namespace distil::testing
