#include "distil/feature/hidden_cosine.hpp"

#include "../support/cases/hidden_cosine.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<hidden_cosine_case> const suites("hidden_cosine");

TEST(hidden_cosine, weighs_samples_and_tokens) {
  std::vector<float> const of_samples = {0.5F, 0.0F, 2.0F};
  std::vector<double> of_tokens(12);
  for (std::size_t i = 0; i < 12; ++i) of_tokens[i] = i >= 4 && i < 8 ? 0.0 : static_cast<double>(i % 3);
  for (auto s : hidden_cosine_case::settings()) {
    pair_batch<double> b({{3, 5, 1, 4}, {3, 5, 1, 4}}, 2.0, map_layout::channels_last);
    s.options.weights = of_samples;
    expect_pair<hidden_cosine_case>(b, s, "samples weighed");
    s.options.weights = of_tokens;
    expect_pair<hidden_cosine_case>(b, s, "tokens weighed");
    double const before = hidden_cosine_case::value(serial, b, s);
    b.student.set(1, 0, 0, 1, std::nan(""));
    EXPECT_EQ(hidden_cosine_case::with_grad(serial, b, b.gradient, s, false), before);
    EXPECT_EQ(b.gradient.at(1, 0, 0, 1), 0.0);
  }
}

TEST(hidden_cosine, gives_values_of_samples_and_tokens) {
  std::vector<double> const tokens = {1, 0.5, 0, 2, 0, 0};
  std::vector<double> values(6, 42.0), of_samples(2, 42.0);
  for (auto s : hidden_cosine_case::settings()) {
    pair_batch<double> b({{2, 5, 1, 3}, {2, 5, 1, 3}}, 2.0, map_layout::channels_last);
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    b.student.set(0, 1, 0, 2, std::nan(""));
    auto with = s;
    with.options.weights = tokens;
    with.options.values = values;
    (void)hidden_cosine_case::value(serial, b, with);
    with.options.values = of_samples;
    (void)hidden_cosine_case::with_grad(serial, b, b.gradient, with, false);
    auto const of_token = [&](index n, index p) {
      exact_map x({1, 5, 1, 1}), y({1, 5, 1, 1});
      for (index c = 0; c < 5; ++c) x(0, c) = student.at(n, c, p), y(0, c) = teacher.at(n, c, p);
      return static_cast<double>(hidden_cosine_case::of(x, y, s));
    };
    std::vector<double> const expected = {of_token(0, 0), of_token(0, 1), 0, of_token(1, 0), 0, 0};
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values[i], expected[i], 1e-14) << s.label;
    bool const is_mean = s.options.reduce == feature_reduction::element_mean;
    EXPECT_NEAR(of_samples[0], (expected[0] + 0.5 * expected[1]) / (is_mean ? 1.5 : 1.0), 1e-14) << s.label;
    EXPECT_NEAR(of_samples[1], expected[3] * (is_mean ? 1.0 : 2.0), 1e-14) << s.label;
  }
}

TEST(hidden_cosine, keeps_its_digits_where_vectors_are_alike) {
  std::vector<float> const student = {1, 1e-4F}, teacher = {1, 0};
  double const found = hidden_cosine(matrix_view<float const>(student.data(), 1, 2),
                                     matrix_view<float const>(teacher.data(), 1, 2));
  EXPECT_NEAR(found, 5e-9, 5e-9 * 1e-5);
}

/// A vector longer than the largest number has a direction like others.
TEST(hidden_cosine, takes_vectors_of_any_length) {
  float const most = std::numeric_limits<float>::max();
  std::vector<float> const student = {most, -most, most, most, most, 0, 1e30F, 0};
  std::vector<float> const teacher = {most, most, most, most, 3, 4, 0, 0};
  std::vector<float> gradient(8, 7.0F);
  double const found = hidden_cosine.with_grad(matrix_view<float const>(student.data(), 2, 4),
                                               matrix_view<float const>(teacher.data(), 2, 4),
                                               matrix_view<float>(gradient.data(), 2, 4));
  EXPECT_NEAR(found, (0.5 + 1 - 0.6) / 2, 1e-6);
  for (float const slope : gradient) EXPECT_LT(std::abs(slope), 1e-38F);
}

TEST(hidden_cosine, has_no_direction_to_zero) {
  std::vector<double> const student = {0, 0, 3, 4, 0, 0}, teacher = {1, 2, 0, 0, 0, 0};
  std::vector<double> gradient(6, 7.0);
  EXPECT_EQ(hidden_cosine.with_grad(matrix_view<double const>(student.data(), 3, 2),
                                    matrix_view<double const>(teacher.data(), 3, 2),
                                    matrix_view<double>(gradient.data(), 3, 2)),
            1.0);
  EXPECT_EQ(gradient, std::vector<double>(6, 0.0));
}

TEST(hidden_cosine, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}}), other({{3, 4, 4, 3}, {3, 4, 4, 3}});
  EXPECT_EQ(
      refusal_of([&] { (void)hidden_cosine(b.student.map(), other.teacher.map()); }),
      "distil::hidden_cosine: teacher is 3 x 4 x 4 x 3; it must be 3 x 5 x 4 x 3 as the student in samples, "
      "channels, height, width");
  EXPECT_EQ(refusal_of([&] { (void)hidden_cosine(b.student.map(), b.teacher.map(), {.weights = -1}); }),
            "distil::hidden_cosine: weights is -1 at 0; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
