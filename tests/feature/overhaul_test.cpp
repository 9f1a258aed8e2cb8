#include "distil/feature/overhaul.hpp"

#include "../support/cases/overhaul.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<overhaul_case> const suites("overhaul");

TEST(overhaul, takes_margins_of_channels_and_weights) {
  std::vector<double> const margins = {-0.5, 0.25, 0, -2, -0.125};
  std::vector<float> of_positions(36);
  for (std::size_t i = 0; i < 36; ++i) of_positions[i] = static_cast<float>(i % 5) / 2;
  for (map_layout const order : every_layout) {
    pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}}, 2.0, order, order, order);
    overhaul_case::setting s{"margins of channels", {.margins = margins}};
    expect_pair<overhaul_case>(b, s, name_of(order));
    s.options.weights = of_positions;
    expect_pair<overhaul_case>(b, s, name_of(order));
  }
}

TEST(overhaul, compares_strictly) {
  std::vector<double> const student = {-1, -2, 0.5, -1, 3}, teacher = {-1, -5, -5, 2, 3};
  std::vector<double> gradient(5);
  EXPECT_EQ(overhaul.with_grad(matrix_view<double const>(student.data(), 1, 5),
                               matrix_view<double const>(teacher.data(), 1, 5),
                               matrix_view<double>(gradient.data(), 1, 5), {.margins = -1}),
            1.5 * 1.5 + 9);
  EXPECT_EQ(gradient, (std::vector<double>{0, 0, 3, -6, 0}));
}

TEST(overhaul_margins, are_the_means_of_what_is_negative) {
  std::vector<double> const scale = {1, -2, 0.5, 0, 0, 1}, bias = {0, 1, 3, -1, 2, -1};
  std::vector<double> margins(6);
  overhaul_margins(scale, bias, margins);
  EXPECT_NEAR(margins[0], -std::sqrt(2 / std::acos(-1.0)), 1e-15);
  // By the rectangles of the integral.
  for (std::size_t c : {std::size_t{1}, std::size_t{5}}) {
    double mass = 0, sum = 0;
    constexpr double step = 1e-4;
    for (double x = -30 + step / 2; x < 0; x += step) {
      double const z = (x - bias[c]) / scale[c], density = std::exp(-z * z / 2);
      mass += density, sum += density * x;
    }
    EXPECT_NEAR(margins[c], sum / mass, 1e-6);
  }
  EXPECT_EQ(margins[2], -1.5);
  EXPECT_EQ(margins[3], -1.0);
  EXPECT_EQ(margins[4], 0.0);
  EXPECT_EQ(refusal_of([&] {
              overhaul_margins(scale, bias, {margins.data(), 3});
            }),
            "distil::overhaul_margins: margins is 3; it must be as long as scale");
  EXPECT_EQ(refusal_of([&] {
              overhaul_margins(scale, {bias.data(), 3}, margins);
            }),
            "distil::overhaul_margins: bias is 3; it must be as long as scale");
}

TEST(overhaul, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](overhaul_options const& options) {
    return refusal_of([&] { (void)overhaul(b.student.map(), b.teacher.map(), options); });
  };
  std::vector<double> margins(4, 0.0);
  EXPECT_EQ(with({.margins = margins}),
            "distil::overhaul: margins is of size 4; it must be one number or one per channel, 5");
  margins = {0, 0, std::nan(""), 0, 0};
  EXPECT_EQ(with({.margins = margins}), "distil::overhaul: margins is nan at 2; it must be finite");
  EXPECT_EQ(with({.divisor = -1}), "distil::overhaul: divisor is -1; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
