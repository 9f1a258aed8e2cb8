#include "distil/attention/attention_scores.hpp"

#include "../support/cases/attention_scores.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<attention_scores_case> const suites("attention_scores");

TEST(attention_scores, counts_the_tokens_that_are_there) {
  std::vector<int> const lengths = {4, 0, 2};
  std::vector<double> const of_queries = {1, 0, 2, 1, 1, 1, 1, 1, 0.5, 0, 0, 4};
  std::vector<double> const keys = {0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1};
  for (auto const reduce :
       {attention_reduction::mean, attention_reduction::sequence_mean, attention_reduction::sum}) {
    pair_batch<double> b({{3, 2, 4, 4}, {3, 5, 4, 4}}, 2.0, map_layout::padded);
    attention_scores_case::setting s{"", {.heads = attention_heads::mean, .reduce = reduce}};
    s.options.tokens = {.lengths = lengths};
    expect_pair<attention_scores_case>(b, s, "lengths");
    s.options.tokens = {.lengths = lengths, .keys = keys, .weights = of_queries};
    expect_pair<attention_scores_case>(b, s, "lengths, keys and weights of queries");
  }
}

TEST(attention_scores, masks_keys_where_queries_and_keys_differ_in_number) {
  std::vector<double> const keys = {0, 1, 1, 1, 0, 1, 1, 0, 1, 1};
  std::vector<double> const of_queries = {1, 0, 2, 0.5, 1, 3};
  for (pair_shape const& shape : {pair_shape{{2, 2, 3, 5}, {2, 2, 3, 5}}, {{5, 2, 3, 2}, {5, 2, 3, 2}}}) {
    for (map_layout const order : every_layout) {
      pair_batch<double> b(shape, 2.0, order, map_layout::channels_last, order);
      attention_scores_case::setting s{"", {}};
      s.options.tokens = {.keys = keys};
      expect_pair<attention_scores_case>(b, s, "keys");
      if (shape.student[0] == 2) s.options.tokens.weights = of_queries;
      expect_pair<attention_scores_case>(b, s, "keys and weights of queries");
    }
  }
}

TEST(attention_scores, takes_what_is_masked_as_zero) {
  std::vector<double> const student = {1, -1e4, -INFINITY, 2}, teacher = {3, -INFINITY, 5, -100};
  std::vector<double> gradient(4);
  feature_map<double const> const s(student.data(), 1, 1, 2, 2), t(teacher.data(), 1, 1, 2, 2);
  feature_map<double> const g(gradient.data(), 1, 1, 2, 2);
  EXPECT_EQ(attention_scores.with_grad(s, t, g), (4.0 + 0.0 + 25.0 + 4.0) / 4);
  EXPECT_EQ(gradient, (std::vector<double>{-1, 0, 0, 1}));
}

TEST(attention_scores, takes_no_number_for_a_mask_where_tokens_say_what_is_masked) {
  std::vector<double> const student = {1, -150, -INFINITY, 2}, teacher = {3, -200, 5, -100};
  std::vector<int> const length = {2};
  std::vector<double> const keys = {1, 1}, padding = {1, 0}, queries = {1, 2};
  std::vector<double> gradient(4);
  feature_map<double const> const s(student.data(), 1, 1, 2, 2), t(teacher.data(), 1, 1, 2, 2);
  feature_map<double> const g(gradient.data(), 1, 1, 2, 2);
  auto const with = [&](attention_scores_options options) {
    options.reduce = attention_reduction::sum;
    return attention_scores.with_grad(s, t, g, options).value;
  };
  double const all = 4.0 + 2500.0 + 25.0 + 10404.0;
  EXPECT_EQ(with({.tokens = {.lengths = length}}), all);
  EXPECT_EQ(gradient, (std::vector<double>{-4, 100, 0, 204}));
  EXPECT_EQ(with({.tokens = {.keys = keys}}), all);
  EXPECT_EQ(with({.tokens = {.keys = padding}}), 4.0 + 25.0);
  // Weights of queries say nothing of keys; and a threshold that is asked for holds beside a mask.
  EXPECT_EQ(with({.tokens = {.weights = queries}}), 4.0 + 2 * (25.0 + 4.0));
  EXPECT_EQ(with({.masked_to = -1e2, .tokens = {.lengths = length}}), 4.0 + 25.0 + 4.0);
}

TEST(attention_scores, does_not_see_what_does_not_count) {
  std::vector<double> const mask = {0, 1, 1};  // padding on the left
  pair_batch<double> b({{1, 2, 3, 3}, {1, 2, 3, 3}});
  attention_scores_options const options{.tokens = {.keys = mask, .weights = mask}};
  loss_value const before = attention_scores(b.student.map(), b.teacher.map(), options);
  EXPECT_EQ(before.weight, 8.0);
  for (index j = 0; j < 3; ++j)
    b.student.set(0, 1, 0, j, std::nan("")), b.teacher.set(0, 0, j, 0, std::nan(""));
  EXPECT_EQ(attention_scores.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options).value,
            before.value);
  for (index j = 0; j < 3; ++j) {
    EXPECT_EQ(b.gradient.at(0, 1, 0, j), 0.0);
    EXPECT_EQ(b.gradient.at(0, 0, j, 0), 0.0);
  }
}

// -1e-50 is 0 in float, which would mask scores of 0, and -1e300 is -inf.
TEST(attention_scores, masks_in_float_what_it_masks_in_double) {
  std::vector<float> const student = {0, -1e-30F, 2, -3e38F}, teacher = {1, 1, 1, 0};
  std::vector<float> gradient(4);
  feature_map<float const> const s(student.data(), 1, 1, 2, 2), t(teacher.data(), 1, 1, 2, 2);
  feature_map<float> const g(gradient.data(), 1, 1, 2, 2);
  (void)attention_scores.with_grad(s, t, g, {.masked_to = -1e-50});
  EXPECT_EQ(gradient, (std::vector<float>{-0.5F, 0, 0.5F, 0}));
  EXPECT_EQ(detail::rounded_down<float>(-1e300), -INFINITY);
  EXPECT_EQ(detail::rounded_down<float>(1e300), std::numeric_limits<float>::max());
  EXPECT_EQ(detail::rounded_down<float>(-INFINITY), -INFINITY);
  EXPECT_EQ(detail::rounded_down<float>(INFINITY), INFINITY);
  EXPECT_EQ(detail::rounded_down<float>(0.5), 0.5F);
}

TEST(attention_scores, refuses) {
  pair_batch<float> b({{1, 2, 3, 3}, {1, 3, 3, 3}});
  EXPECT_EQ(refusal_of([&] { (void)attention_scores(b.student.map(), b.teacher.map()); }),
            "distil::attention_scores: teacher is 1 x 3 x 3 x 3; it must be 1 x 2 x 3 x 3 as the student in "
            "samples, "
            "channels, height, width");
  EXPECT_EQ(refusal_of([&] {
              (void)attention_scores(b.student.map(), b.student.map(), {.masked_to = std::nan("")});
            }),
            "distil::attention_scores: masked_to is nan; it must be a number");
}

}  // namespace
}  // namespace distil::testing
