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

/// Two losses of the same batch, one being `factor` times the other.
void expect_multiple(hint_options one, hint_options other, double factor) {
  pair_batch<double> a({{3, 5, 4, 3}, {3, 5, 4, 3}}), b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  double const expected = factor * hint.with_grad(a.student.map(), a.teacher.map(), a.gradient.map(), one);
  EXPECT_NEAR(hint.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), other), expected,
              1e-14 * expected);
  for_each_element(a.gradient.shape(), [&](index n, index c, index y, index x) {
    double const slope = factor * a.gradient.at(n, c, y, x);
    EXPECT_NEAR(b.gradient.at(n, c, y, x), slope, 1e-14 * std::abs(slope));
  });
}

TEST(hint, distances_meet) {
  using enum hint_distance;
  expect_multiple({.distance = squared}, {.distance = power}, 1.0);
  expect_multiple({.distance = absolute}, {.distance = power, .power = 1}, 1.0);
  expect_multiple({.distance = absolute}, {.distance = smooth_l1, .beta = 1e-15}, 1.0);
  expect_multiple({.distance = smooth_l1, .beta = 0.3}, {.distance = huber, .beta = 0.3}, 0.3);
  expect_multiple({.distance = squared}, {.distance = huber, .beta = 100}, 0.5);
}

TEST(hint, has_the_norm_of_each_sample) {
  std::vector<float> student = {3, 4, 1, 1, 0, 12};
  std::vector<float> const teacher = {0, 0, 1, 1, 5, 0};
  std::vector<float> gradient(6);
  std::vector<double> values(3);
  matrix_view<float const> const s(student.data(), 3, 2), t(teacher.data(), 3, 2);
  hint_options options{.distance = hint_distance::norm, .values = values};
  EXPECT_EQ(hint.with_grad(s, t, matrix_view<float>(gradient.data(), 3, 2), options).value, 6.0);
  EXPECT_EQ(values, (std::vector<double>{5, 0, 13}));
  std::vector<float> const expected = {0.2F, 4.0F / 15, 0, 0, -5.0F / 39, 4.0F / 13};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(gradient[i], expected[i]);
  std::vector<double> const mask = {1, 0, 1, 1, 0, 0, 0, 0, 1};  // of three tokens in each of three sequences
  values.assign(3, 42);
  student = {3, 100, 4, 1, 100, 100, 100, 100, 7};
  std::vector<float> const zeros(9);
  options.weights = mask;
  EXPECT_EQ(hint(token_map(student.data(), 3, 3, 1), token_map(zeros.data(), 3, 3, 1), options).value,
            13.0 / 3);
  EXPECT_EQ(values, (std::vector<double>{5, 1, 7}));
}

TEST(hint, gives_values_of_samples_and_positions) {
  std::vector<double> weights(36), values(36), of_samples(3);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = i >= 12 && i < 24 ? 0.0 : static_cast<double>(i % 5) / 2;
  for (auto s : hint_case::settings()) {
    if (s.options.distance == hint_distance::norm) continue;
    pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    bool const by_position = s.options.normalize != hint_normalization::samples;
    for (bool const weighed : {false, true}) {
      auto with = s;
      with.options.weights = weighed ? row_parameter(weights) : row_parameter(2.0);
      with.options.values = values;
      double const loss = hint_case::value(serial, b, with);
      with.options.values = of_samples;
      EXPECT_NEAR(hint_case::value(serial, b, with), loss, 1e-14 * loss);
      for (index n = 0; n < 3; ++n) {
        double sum = 0, total = 0;
        for (index p = 0; p < 12; ++p) {
          auto const i = static_cast<std::size_t>(12 * n + p);
          double const weight = weighed ? weights[i] : 1.0;
          exact_map x({1, 5, 1, 1}), y({1, 5, 1, 1});
          for (index c = 0; c < 5; ++c) x(0, c) = student.at(n, c, p), y(0, c) = teacher.at(n, c, p);
          double const alone = weight > 0 && by_position ? static_cast<double>(hint_case::of(x, y, s)) : 0.0;
          if (by_position) {
            EXPECT_NEAR(values[i], alone, 1e-14) << s.label;
          }
          sum += weight * values[i];
          total += s.options.reduce == feature_reduction::element_mean ? weight : 1.0 / 12;
        }
        EXPECT_NEAR(of_samples[static_cast<std::size_t>(n)], total > 0 ? sum / total : 0.0, 1e-14) << s.label;
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
  EXPECT_EQ(with({.power = 0.5}), "distil::hint: power is 0.5; it must be within [1, 64]");
  std::vector<double> values(36);
  EXPECT_EQ(with({.distance = hint_distance::norm, .values = values}),
            "distil::hint: values is of size 36; it must be one per sample, 3");
  values.resize(4);
  EXPECT_EQ(with({.values = values}),
            "distil::hint: values is of size 4; it must be one per sample, 3, or one per position, 36");
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
