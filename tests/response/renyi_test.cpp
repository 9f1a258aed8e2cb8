#include "distil/response/renyi.hpp"

#include "../support/cases/renyi.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

row_suites<renyi_case> const suites("renyi");

TEST(renyi, obeys_the_laws) {
  expect_slope_of_temperature<renyi_case>();
  expect_teacher_temperature<renyi_case>(renyi);
  expect_accurate_near_zero<renyi_case>();
}

TEST(renyi, becomes_forward_kl_without_a_jump) {
  for (double const near : {0.0, 1e-15, -1e-15}) {
    expect_same(calling(renyi, {.alpha = 1 + near}), calling(forward_kl), 1e-13);
  }
}

TEST(renyi, knows_sums_that_no_number_holds) {
  batch<float> b(1, 2);
  b.student.set(0, 0, 0), b.student.set(0, 1, 1000);
  b.teacher.set(0, 0, 2000), b.teacher.set(0, 1, 0);
  EXPECT_NEAR(renyi(b.student.view(), b.teacher.view(), {.alpha = 2}), 1000.0, 1e-3);
  EXPECT_NEAR(renyi(b.student.view(), b.teacher.view(), {.alpha = 0.5}), 1000.0, 1e-3);
}

TEST(renyi, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(renyi, {.alpha = 0}), "distil::renyi: alpha is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
