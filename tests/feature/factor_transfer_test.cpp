#include "distil/feature/factor_transfer.hpp"

#include "../support/cases/factor_transfer.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<factor_transfer_case> const suites("factor_transfer");

TEST(factor_transfer, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : factor_transfer_case::settings()) {
    pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
    s.options.weights = weights;
    expect_pair<factor_transfer_case>(b, s, "weighed");
    double const before = factor_transfer_case::value(serial, b, s);
    b.student.set(1, 0, 2, 2, std::nan(""));
    EXPECT_EQ(factor_transfer_case::with_grad(serial, b, b.gradient, s, false), before);
    EXPECT_EQ(b.gradient.at(1, 0, 2, 2), 0.0);
  }
}

TEST(factor_transfer, compares_maps_of_any_channels) {
  pair_batch<double> b({{3, 5, 4, 3}, {3, 2, 4, 3}}, 2.0, map_layout::channels_last);
  expect_pair<factor_transfer_case>(b, factor_transfer_case::settings()[2], "other channels");
  EXPECT_EQ(refusal_of([&] { (void)factor_transfer(b.student.map(), b.teacher.map()); }),
            "distil::factor_transfer: teacher is 3 x 2 x 4 x 3; it must be 3 x 5 x 4 x 3 as the student in "
            "samples, "
            "channels, height, width");
}

TEST(factor_transfer, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  EXPECT_EQ(refusal_of([&] { (void)factor_transfer(b.student.map(), b.teacher.map(), {.power = 65}); }),
            "distil::factor_transfer: power is 65; it must be within [1, 64]");
}

}  // namespace
}  // namespace distil::testing
