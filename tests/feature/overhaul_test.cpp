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

/// Weights of positions are those of the parts of a sample's value, its own weight is not.
TEST(overhaul, gives_values_of_weighed_samples) {
  std::vector<double> const of_positions = {1, 0.5, 0, 2, 0, 0}, of_samples = {3, 0};
  std::vector<double> values(2);
  pair_batch<double> b({{2, 5, 1, 3}, {2, 5, 1, 3}});
  for (auto const reduce : {feature_reduction::element_mean, feature_reduction::sample_mean}) {
    for (std::vector<double> const* const weights : {&of_positions, &of_samples}) {
      overhaul_case::setting s{"weighed",
                               {.reduce = reduce, .divisor = 4, .weights = *weights, .values = values}};
      (void)overhaul_case::value(serial, b, s);
      for (index n = 0; n < 2; ++n) {
        pair_batch<double> one({{1, 5, 1, 3}, {1, 5, 1, 3}});
        auto const copy = [&](auto const& from) {
          return [&from, n](index, index c, index y, index x) { return from.at(n, c, y, x); };
        };
        one.student.fill(copy(b.student)), one.teacher.fill(copy(b.teacher));
        std::span<double const> const own(&of_positions[static_cast<std::size_t>(3 * n)], 3);
        overhaul_case::setting alone{"alone", {.reduce = reduce, .divisor = 4}};
        if (weights == &of_positions) alone.options.weights = own;
        double const exact =
            static_cast<double>(overhaul_case::of(one.student.exact(), one.teacher.exact(), alone));
        double const expected =
            (*weights)[static_cast<std::size_t>(n)] == 0.0 && weights == &of_samples ? 0.0 : exact;
        EXPECT_NEAR(values[static_cast<std::size_t>(n)], expected, 1e-14 * exact) << n;
      }
    }
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
