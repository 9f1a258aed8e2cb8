#include "distil/response/softmax.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/softmax.hpp"
#include "distil/response/log_softmax.hpp"

namespace distil::testing {
namespace {

row_suites<softmax_case> const suites("softmax");

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

TEST(softmax, and_its_logarithm_allocate_nothing_after_their_first_call) {
  for (auto const& [rows, columns, order] : allocation_shapes) {
    batch<double> b(rows, columns, 4.0, order);
    auto const z = b.student.view(), upstream = b.teacher.view(), gradient = b.gradient.view();
    std::vector<double> const temperatures(static_cast<std::size_t>(rows), 2.5);
    expect_no_allocation("softmax", [&] { distil::softmax(z, gradient); });
    expect_no_allocation("in place",
                         [&] { distil::softmax(gradient, gradient, {.temperature = temperatures}); });
    expect_no_allocation("pull-back", [&] {
      distil::softmax.pull_back(z, upstream, gradient, {.temperature = 2, .accumulate = true});
    });
    expect_no_allocation("log_softmax", [&] { distil::log_softmax(z, gradient, {.temperature = 2}); });
    expect_no_allocation("log_softmax, pull-back",
                         [&] { distil::log_softmax.pull_back(z, upstream, gradient); });
  }
}

}  // namespace
}  // namespace distil::testing
