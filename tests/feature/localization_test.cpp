#include "distil/feature/localization.hpp"

#include "../support/cases/localization.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<localization_case> const suites("localization");

pair_shape const head = {{2, 12, 3, 2}, {2, 12, 3, 2}};

TEST(localization, weighs_boxes_and_edges) {
  std::vector<float> of_boxes(12);
  std::vector<double> of_edges(48);
  for (std::size_t i = 0; i < of_boxes.size(); ++i) of_boxes[i] = static_cast<float>(i % 3) / 2;
  for (std::size_t i = 0; i < of_edges.size(); ++i) of_edges[i] = static_cast<double>(i % 5) / 2;
  for (auto const reduce :
       {localization_reduction::edge_mean, localization_reduction::bin_mean, localization_reduction::sum}) {
    pair_batch<double> b(head);
    expect_pair<localization_case>(
        b, localization_case::setting{"boxes", {.reduce = reduce, .weights = of_boxes}}, "boxes weighed");
    localization_case::setting const s{"edges", {.reduce = reduce, .weights = of_edges}};
    expect_pair<localization_case>(b, s, "edges weighed");
    b.student.set(0, 0, 0, 0, std::nan(""));  // an edge without weight
    EXPECT_TRUE(std::isfinite(localization_case::with_grad(serial, b, b.gradient, s, false)));
    EXPECT_EQ(b.gradient.at(0, 0, 0, 0), 0.0);
  }
}

TEST(localization, gives_the_derivative_by_the_temperature) {
  expect_slope_by<localization_case, double>(&localization_options::temperature,
                                             &localization_options::temperature_gradient, head);
  expect_slope_by<localization_case, float>(&localization_options::temperature,
                                            &localization_options::temperature_gradient, head);
}

TEST(localization, leaves_out_masked_bins) {
  std::vector<double> const student = {1, 2, -HUGE_VAL, 0.5}, shorter = {1, 2, 0.5};
  std::vector<double> const teacher = {0, 3, -HUGE_VAL, 1}, shorter_teacher = {0, 3, 1};
  std::vector<double> gradient(4);
  double by_temperature = 0, of_shorter = 0;
  matrix_view<double const> const s(student.data(), 1, 4), t(teacher.data(), 1, 4);
  double const value = localization.with_grad(s, t, matrix_view<double>(gradient.data(), 1, 4),
                                              {.edges = 1, .temperature_gradient = {&by_temperature, 1}});
  EXPECT_NEAR(value,
              localization(matrix_view<double const>(shorter.data(), 1, 3),
                           matrix_view<double const>(shorter_teacher.data(), 1, 3),
                           {.edges = 1, .temperature_gradient = {&of_shorter, 1}}),
              1e-12);
  EXPECT_NEAR(by_temperature, of_shorter, 1e-12);
  EXPECT_EQ(gradient[2], 0.0);
  // An edge without bins is none, on either side.
  std::vector<double> const masked(4, -HUGE_VAL);
  matrix_view<double const> const none(masked.data(), 1, 4);
  for (auto const& [one, other] : {std::pair(none, t), std::pair(s, none)}) {
    EXPECT_EQ(localization(one, other, {.edges = 1, .temperature_gradient = {&by_temperature, 1}}), 0.0);
    EXPECT_EQ(by_temperature, 0.0);
  }
}

TEST(localization, refuses) {
  pair_batch<float> b(head);
  auto const with = [&](localization_options const& options) {
    return refusal_of([&] { (void)localization(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.edges = 5}),
            "distil::localization: edges is 5; it must be >= 1 and divide the channels, 12");
  EXPECT_EQ(with({.edges = 0}),
            "distil::localization: edges is 0; it must be >= 1 and divide the channels, 12");
  EXPECT_EQ(with({.temperature = 0}).rfind("distil::localization: temperature is 0; it must be ", 0), 0U);
  std::vector<double> numbers(3, 1.0);
  EXPECT_EQ(with({.weights = numbers}).rfind("distil::localization: weights is of size 3", 0), 0U);
  EXPECT_EQ(with({.temperature_gradient = numbers}),
            "distil::localization: temperature_gradient is of size 3; it must be of size 0 or 1");
}

}  // namespace
}  // namespace distil::testing
