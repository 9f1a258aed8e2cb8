#include "distil/feature/inter_channel_correlation.hpp"

#include "../support/cases/inter_channel_correlation.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<inter_channel_correlation_case> const suites("inter_channel_correlation");

TEST(inter_channel_correlation, does_not_see_the_order_of_positions_nor_scale) {
  pair_batch<double> b({{2, 4, 1, 6}, {2, 4, 3, 4}});
  b.teacher.fill([&](index n, index c, index y, index x) {  // every position twice, backwards
    return -3 * b.student.at(n, c, 0, 5 - (4 * y + x) % 6);
  });
  EXPECT_NEAR(inter_channel_correlation(b.student.map(), b.teacher.map()), 0.0, 1e-15);
}

TEST(inter_channel_correlation, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : inter_channel_correlation_case::settings()) {
    s.options.weights = weights;
    pair_batch<double> b({{3, 5, 3, 4}, {3, 5, 2, 4}});
    expect_pair<inter_channel_correlation_case>(b, s, "samples weighed");
    b.student.set(1, 0, 0, 0, std::nan(""));
    loss_value const found = inter_channel_correlation_case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_TRUE(std::isfinite(found.value));
    EXPECT_EQ(found.weight, 2.5);
    EXPECT_EQ(b.gradient.at(1, 0, 0, 0), 0.0);
  }
}

TEST(inter_channel_correlation, leaves_out_dead_channels) {
  pair_batch<float> b({{2, 5, 3, 4}, {2, 5, 3, 4}});
  for (index x = 0; x < 12; ++x) b.student.set(1, 2, x / 4, x % 4, 0.0);
  inter_channel_correlation.with_grad(b.student.map(), b.teacher.map(), b.gradient.map());
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_TRUE(std::isfinite(b.gradient.at(n, c, y, x)));
  });
}

}  // namespace
}  // namespace distil::testing
