#include "distil/response/class_correlation.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/class_correlation.hpp"
#include "../support/refusal.hpp"
#include "../support/temperature_slopes.hpp"

namespace distil::testing {
namespace {

batch_suites<class_correlation_case> const suites("class_correlation");

TEST(class_correlation, keeps_small_differences) {
  // Of Gram matrices that agree to seven digits, in float.
  for (index const rows : {6, 40}) {  // fewer than classes, and more
    batch<float> b(rows, 12);
    batch<double> exact(rows, 12);
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < 12; ++c) {
        b.teacher.set(r, c, b.student.at(r, c) + (c == r % 12 ? 0x1p-10 : 0.0));
        exact.student.set(r, c, b.student.at(r, c)), exact.teacher.set(r, c, b.teacher.at(r, c));
      }
    }
    double const expected = class_correlation(exact.student.view(), exact.teacher.view());
    EXPECT_LT(expected, 1e-5);
    EXPECT_NEAR(class_correlation(b.student.view(), b.teacher.view()), expected, 1e-2 * expected);
  }
}

TEST(class_correlation, refuses) {
  batch<float> b(3, 4);
  EXPECT_EQ(
      refusal_of([&] { (void)class_correlation(b.student.view(), b.teacher.view(), {.temperature = 0}); }),
      "distil::class_correlation: temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(
      refusal_of([&] { class_correlation.with_grad(b.student.view(), b.teacher.view(), b.teacher.view()); }),
      "distil::class_correlation: gradient is overlapping the teacher; it must be apart from the teacher");
}

TEST(class_correlation, differentiates_by_the_temperature) {
  expect_slope_of_batch<class_correlation_case, distil::class_correlation, double>();
  expect_slope_of_batch<class_correlation_case, distil::class_correlation, float>();
}

}  // namespace
}  // namespace distil::testing
