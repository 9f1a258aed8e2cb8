#include "distil/relation/correlation_alignment.hpp"

#include "../support/cases/correlation_alignment.hpp"
#include "../support/pair_suite.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

pair_suites<correlation_alignment_case> const suites("correlation_alignment");

TEST(correlation_alignment, does_not_see_where_the_samples_are) {
  pair_batch<double> b({{6, 3, 1, 1}, {6, 3, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return b.student.at(5 - n, c) + 3.0; });
  EXPECT_NEAR(
      double(correlation_alignment.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix())),
      0.0, 1e-28);
  EXPECT_NEAR(b.gradient.at(1, 1), 0.0, 1e-14);
}

/// Two features of variances 4/3 and 16/3 without covariance, against none.
TEST(correlation_alignment, is_what_two_variances_say) {
  std::vector<double> const student{1, 2, 1, -2, -1, 2, -1, -2}, teacher{7, 7};
  EXPECT_NEAR(double(correlation_alignment(matrix_view(student, 4, 2), matrix_view(teacher, 1, 2))),
              (std::pow(4.0 / 3, 2) + std::pow(16.0 / 3, 2)) / 16, 1e-15);
}

TEST(correlation_alignment, refuses_other_widths) {
  pair_batch<float> b({{3, 2, 1, 1}, {2, 4, 1, 1}});
  EXPECT_EQ(
      refusal_of([&] { (void)correlation_alignment(b.student.matrix(), b.teacher.matrix()); }),
      "distil::correlation_alignment: teacher is 4 features; it must be of 2 features, as the student's");
}

}  // namespace
}  // namespace distil::testing
