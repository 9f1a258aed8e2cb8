#include "distil/feature/neuron_selectivity.hpp"

#include "../support/cases/neuron_selectivity.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<neuron_selectivity_case> const suites("neuron_selectivity");

TEST(neuron_selectivity, does_not_see_the_order_of_channels_nor_their_scale) {
  for (auto const& s : neuron_selectivity_case::settings()) {
    pair_batch<double> b({{2, 4, 3, 3}, {2, 8, 3, 3}});
    b.teacher.fill([&](index n, index c, index y, index x) {  // every channel twice, shuffled and stretched
      return (1.0 + static_cast<double>(c)) * b.student.at(n, (c + 1) % 4, y, x);
    });
    EXPECT_NEAR(neuron_selectivity_case::with_grad(serial, b, b.gradient, s, false), 0.0, 1e-15) << s.label;
    for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
      EXPECT_NEAR(b.gradient.at(n, c, y, x), 0.0, 1e-15) << s.label;
    });
  }
}

TEST(neuron_selectivity, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : neuron_selectivity_case::settings()) {
    s.options.weights = weights;
    pair_batch<double> b({{3, 4, 3, 5}, {3, 6, 3, 5}});
    expect_pair<neuron_selectivity_case>(b, s, "samples weighed");
    b.student.set(1, 0, 0, 0, std::nan(""));
    loss_value const found = neuron_selectivity_case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_TRUE(std::isfinite(found.value));
    EXPECT_EQ(found.weight, 2.5);
    EXPECT_EQ(b.gradient.at(1, 0, 0, 0), 0.0);
  }
}

TEST(neuron_selectivity, counts_a_channel_of_zeros_as_one) {
  for (auto const& s : neuron_selectivity_case::settings()) {
    pair_batch<double> b({{1, 2, 1, 3}, {1, 1, 1, 3}});
    double const student[] = {0, 0, 0, 3, 0, 4}, teacher[] = {1, 0, 0};
    b.student.fill([&](index, index c, index, index x) { return student[3 * c + x]; });
    b.teacher.fill([&](index, index, index, index x) { return teacher[x]; });
    double const half = 0.5 / s.options.variance;
    auto const k = [&](double product, double distance) {
      if (s.options.kernel == selectivity_kernel::linear) return product;
      if (s.options.kernel == selectivity_kernel::polynomial) return product * product;
      return std::exp(-half * distance);
    };
    double const expected = (k(0, 0) + 2 * k(0, 1) + k(1, 0)) / 4 + k(1, 0) - (k(0, 1) + k(0.6, 0.8));
    EXPECT_NEAR(neuron_selectivity_case::with_grad(serial, b, b.gradient, s, false), expected, 1e-15)
        << s.label;
    for (index x = 0; x < 3; ++x) EXPECT_EQ(b.gradient.at(0, 0, 0, x), 0.0) << s.label;
  }
}

TEST(neuron_selectivity, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 6, 4, 3}});
  auto const with = [&](neuron_selectivity_options const& options) {
    return refusal_of([&] { (void)neuron_selectivity(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.variance = 0}), "distil::neuron_selectivity: variance is 0; it must be finite and > 0");
  std::vector<double> const weights(4, 1.0);
  EXPECT_EQ(with({.weights = weights}).rfind("distil::neuron_selectivity: weights is of size 4", 0), 0U);
  pair_batch<float> other({{3, 5, 3, 4}, {3, 5, 3, 4}});
  EXPECT_EQ(
      refusal_of([&] { (void)neuron_selectivity(b.student.map(), other.teacher.map()); }),
      "distil::neuron_selectivity: teacher is 3 x 5 x 3 x 4; it must be 3 x 5 x 4 x 3 as the student in "
      "samples, height, width");
}

}  // namespace
}  // namespace distil::testing
