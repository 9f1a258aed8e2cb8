#include "distil/response/softmax.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/softmax.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(softmax, response_suite, in_float_and_double<softmax_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(softmax, behaviour_suite, in_float_and_double<softmax_case>);

TEST(softmax, pulls_nothing_back_through_a_masked_class) {
  std::vector<double> q = {0.0, 0.25, 0.75};
  std::vector<double> const upstream = {minus_infinity, 1.0, 2.0};  // -0.2 / q
  std::vector<double> gradient(3);
  distil::softmax.pull_back(matrix_view<double>(q.data(), 1, 3),
                            matrix_view<double const>(upstream.data(), 1, 3),
                            matrix_view<double>(gradient.data(), 1, 3));
  EXPECT_EQ(gradient[0], 0.0);
  EXPECT_NEAR(gradient[1], 0.25 * (1.0 - 1.75), 1e-15);
  EXPECT_NEAR(gradient[2], 0.75 * (2.0 - 1.75), 1e-15);
}

}  // namespace
}  // namespace distil::testing
