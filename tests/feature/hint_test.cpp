#include "distil/feature/hint.hpp"

#include "../support/cases/hint.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<hint_case> const suites("hint");

TEST(hint, weighs_samples_and_positions) {
  std::vector<float> const of_samples = {0.5F, 0.0F, 2.0F};
  std::vector<double> of_positions(36);
  for (std::size_t i = 0; i < of_positions.size(); ++i)
    of_positions[i] = i >= 12 && i < 24 ? 0.0 : static_cast<double>(i % 5) / 2;
  for (auto s : hint_case::settings()) {
    for (auto const reduce : {feature_reduction::element_mean, feature_reduction::sample_mean}) {
      s.options.reduce = reduce;
      for (map_layout const order : every_layout) {
        pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}}, 2.0, order, order, order);
        s.options.weights = of_samples;
        expect_pair<hint_case>(b, s, "samples weighed");
        EXPECT_EQ(hint_case::value(serial, b, s).weight, 2.5);
        s.options.weights = of_positions;
        expect_pair<hint_case>(b, s, "positions weighed");
      }
    }
  }
}

TEST(hint, does_not_see_what_does_not_count) {
  pair_batch<float> b({{2, 3, 1, 4}, {2, 3, 1, 4}}, 2.0, map_layout::channels_last);
  std::vector<double> const tokens = {1, 1, 0, 1, 1, 1, 1, 1};
  loss_value const before = hint(b.student.map(), b.teacher.map(), {.weights = tokens});
  for (index c = 0; c < 3; ++c) b.student.set(0, c, 0, 2, std::nan(""));
  loss_value const after =
      hint.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), {.weights = tokens});
  EXPECT_EQ(after.value, before.value);
  EXPECT_EQ(after.weight, 7.0);
  for (index c = 0; c < 3; ++c) EXPECT_EQ(b.gradient.at(0, c, 0, 2), 0.0);
}

TEST(hint, counts_nothing_where_nothing_counts) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  loss_value const found = hint.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), {.weights = 0});
  EXPECT_EQ(found.value, 0.0);
  EXPECT_EQ(found.weight, 0.0);
  for_each_element(b.gradient.shape(),
                   [&](index n, index c, index y, index x) { EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0); });
}

TEST(hint, takes_matrices_and_token_maps) {
  std::vector<float> const student = {1, 2, 3, 4, 5, 6}, teacher = {1, 0, 3, 0, 5, 0};
  std::vector<float> gradient(6);
  matrix_view<float const> const rows(student.data(), 2, 3), truth(teacher.data(), 2, 3);
  EXPECT_DOUBLE_EQ(hint.with_grad(rows, truth, matrix_view<float>(gradient.data(), 2, 3)), 56.0 / 6);
  EXPECT_FLOAT_EQ(gradient[3], 8.0F / 6);
  std::vector<double> const mask = {1, 0, 1};  // tokens 1 and 3 of one sequence of three, with two features
  EXPECT_DOUBLE_EQ(
      hint(token_map(student.data(), 1, 3, 2), token_map(teacher.data(), 1, 3, 2), {.weights = mask}),
      (4.0 + 36.0) / 4);
}

TEST(hint, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](hint_options const& options) {
    return refusal_of([&] { (void)hint(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.beta = 0}), "distil::hint: beta is 0; it must be finite and > 0");
  std::vector<double> weights(4, 1.0);
  EXPECT_EQ(with({.weights = weights}),
            "distil::hint: weights is of size 4; it must be one per sample, 3, or one per position, 36");
  weights = {1, -1, 1};
  EXPECT_EQ(with({.weights = weights}), "distil::hint: weights is -1 at 1; it must be finite and >= 0");
  pair_batch<float> other({{3, 5, 3, 4}, {3, 5, 3, 4}});
  EXPECT_EQ(
      refusal_of([&] { (void)hint(b.student.map(), other.teacher.map()); }),
      "distil::hint: teacher is 3 x 5 x 3 x 4; it must be 3 x 5 x 4 x 3 as the student in samples, channels, "
      "height, width");
}

}  // namespace
}  // namespace distil::testing
