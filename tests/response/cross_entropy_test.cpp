#include "distil/response/cross_entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/cross_entropy.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(cross_entropy, response_suite, in_float_and_double<cross_entropy_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(cross_entropy, behaviour_suite, in_float_and_double<cross_entropy_case>);

// Of long rows, which have lanes along them, and of short ones, which have them across.
TEST(cross_entropy, is_nan_in_rows_of_negative_soft_targets) {
  for (index const classes : {3, 70}) {
    batch<double> b(3, classes);
    for (index r = 0; r < 3; ++r) {
      for (index c = 0; c < classes; ++c) b.teacher.set(r, c, c == 1 ? 2.0 : 0.0);  // need not sum to 1
    }
    b.teacher.set(1, classes - 1, -0.5);
    std::vector<double> rows(3);
    cross_entropy.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                            {.rows = {.values = rows}});
    for (index r = 0; r < 3; ++r) {
      EXPECT_EQ(std::isnan(rows[static_cast<std::size_t>(r)]), r == 1) << classes;
      for (index c = 0; c < classes; ++c) EXPECT_EQ(std::isnan(b.gradient.at(r, c)), r == 1) << classes;
    }
    std::vector<int> const mask = {0, -100, 0};  // a row that does not count may hold anything
    EXPECT_TRUE(std::isfinite(cross_entropy(b.student.view(), b.teacher.view(), {.rows = {.labels = mask}})));
  }
}

}  // namespace
}  // namespace distil::testing
