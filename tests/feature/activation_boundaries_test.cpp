#include "distil/feature/activation_boundaries.hpp"

#include "../support/cases/activation_boundaries.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<activation_boundaries_case> const suites("activation_boundaries");

TEST(activation_boundaries, weighs_samples_and_positions) {
  std::vector<float> const of_samples = {0.5F, 0.0F, 2.0F};
  std::vector<double> of_positions(36);
  for (std::size_t i = 0; i < 36; ++i)
    of_positions[i] = i >= 12 && i < 24 ? 0.0 : static_cast<double>(i % 5) / 2;
  for (auto s : activation_boundaries_case::settings()) {
    pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
    s.options.weights = of_samples;
    expect_pair<activation_boundaries_case>(b, s, "samples weighed");
    s.options.weights = of_positions;
    expect_pair<activation_boundaries_case>(b, s, "positions weighed");
    double const before = activation_boundaries_case::value(serial, b, s);
    b.student.set(1, 0, 0, 1, std::nan(""));
    EXPECT_EQ(activation_boundaries_case::with_grad(serial, b, b.gradient, s, false), before);
    EXPECT_EQ(b.gradient.at(1, 0, 0, 1), 0.0);
  }
}

TEST(activation_boundaries, asks_nothing_beyond_the_margin) {
  std::vector<double> const student = {-1, 1, -1.5, 1.5, -0.5, 0.5}, teacher = {0, 1e-3, -1, 7, -2, 2};
  std::vector<double> gradient(6);
  EXPECT_EQ(activation_boundaries.with_grad(matrix_view<double const>(student.data(), 1, 6),
                                            matrix_view<double const>(teacher.data(), 1, 6),
                                            matrix_view<double>(gradient.data(), 1, 6)),
            0.5);
  EXPECT_EQ(gradient, (std::vector<double>{0, 0, 0, 0, 1, -1}));
}

TEST(activation_boundaries, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](activation_boundaries_options const& options) {
    return refusal_of([&] { (void)activation_boundaries(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.margin = -1}), "distil::activation_boundaries: margin is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.divisor = 0}), "distil::activation_boundaries: divisor is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
