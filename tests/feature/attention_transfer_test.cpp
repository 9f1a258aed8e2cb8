#include "distil/feature/attention_transfer.hpp"

#include "../support/cases/attention_transfer.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<attention_transfer_case> const suites("attention_transfer");

TEST(attention_transfer, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : attention_transfer_case::settings()) {
    pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
    s.options.weights = weights;
    expect_pair<attention_transfer_case>(b, s, "weighed");
    EXPECT_EQ(attention_transfer_case::value(serial, b, s).weight, 2.5);
    loss_value const before = attention_transfer_case::value(serial, b, s);
    b.student.set(1, 0, 2, 2, std::nan(""));
    EXPECT_EQ(attention_transfer_case::with_grad(serial, b, b.gradient, s, false).value, before.value);
    EXPECT_EQ(b.gradient.at(1, 0, 2, 2), 0.0);
  }
}

TEST(attention_transfer, sees_directions_alone) {
  for (double const scale : {0x1p-70, 0x1p50}) {  // whose squares leave float's range
    pair_batch<float> plain({{2, 3, 4, 3}, {2, 3, 4, 3}}), b({{2, 3, 4, 3}, {2, 3, 4, 3}});
    b.student.fill([&](index n, index c, index y, index x) { return scale * plain.student.at(n, c, y, x); });
    double const expected =
        attention_transfer.with_grad(plain.student.map(), plain.teacher.map(), plain.gradient.map());
    EXPECT_EQ(attention_transfer.with_grad(b.student.map(), b.teacher.map(), b.gradient.map()), expected);
    EXPECT_EQ(b.gradient.at(1, 2, 1, 1) * scale, plain.gradient.at(1, 2, 1, 1));
  }
}

TEST(attention_transfer, leaves_maps_that_agree) {
  for (auto const distance : {attention_distance::mean_square, attention_distance::norm}) {
    pair_batch<float> b({{2, 3, 4, 3}, {2, 3, 4, 3}});
    b.teacher.fill([&](index n, index c, index y, index x) { return -b.student.at(n, c, y, x); });
    EXPECT_EQ(attention_transfer.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(),
                                           {.distance = distance}),
              0.0);
    for_each_element(b.gradient.shape(),
                     [&](index n, index c, index y, index x) { EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0); });
  }
}

TEST(attention_transfer, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 2, 4, 3}}), other({{3, 5, 3, 3}, {3, 5, 3, 3}});
  auto const with = [&](attention_transfer_options const& options) {
    return refusal_of([&] { (void)attention_transfer(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.power = 0.5}), "distil::attention_transfer: power is 0.5; it must be within [1, 64]");
  std::vector<double> weights(4, 1.0);
  EXPECT_EQ(with({.weights = weights}),
            "distil::attention_transfer: weights is of size 4; it must be one per sample, 3");
  weights = {1, 1, -1};
  EXPECT_EQ(with({.weights = weights}),
            "distil::attention_transfer: weights is -1 at 2; it must be finite and >= 0");
  EXPECT_EQ(
      refusal_of([&] { (void)attention_transfer(b.student.map(), other.teacher.map()); }),
      "distil::attention_transfer: teacher is 3 x 5 x 3 x 3; it must be 3 x 5 x 4 x 3 as the student in "
      "samples, height, width");
}

}  // namespace
}  // namespace distil::testing
