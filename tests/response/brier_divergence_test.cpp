#include "distil/response/brier_divergence.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/brier_divergence.hpp"

namespace distil::testing {
namespace {

row_suites<brier_divergence_case> const suites("brier_divergence");

TEST(brier_divergence, is_two_between_certainties_and_finite_for_masks) {
  batch<double> b(1, 3);
  for (index c = 0; c < 3; ++c) {
    b.student.set(0, c, c == 0 ? 0.0 : minus_infinity), b.teacher.set(0, c, c == 1 ? 0.0 : minus_infinity);
  }
  EXPECT_EQ(brier_divergence(b.student.view(), b.teacher.view()).value, 2.0);
}

}  // namespace
}  // namespace distil::testing
