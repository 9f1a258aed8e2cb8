#include "distil/attention/self_relation.hpp"

#include "../support/cases/self_relation.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<self_relation_case> const suites("self_relation");

using setting = self_relation_case::setting;
constexpr pair_shape four_tokens{{3, 4, 1, 4}, {3, 6, 1, 4}};

TEST(self_relation, counts_the_tokens_that_are_there) {
  std::vector<int> const lengths = {4, 0, 2};
  std::vector<float> const of_sequences = {0.5F, 3.0F, 2.0F};
  std::vector<double> const of_queries = {1, 0, 2, 1, 1, 1, 1, 1, 0.5, 0, 0, 4};
  std::vector<double> const keys = {0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1};
  for (auto const reduce :
       {attention_reduction::mean, attention_reduction::sequence_mean, attention_reduction::sum}) {
    for (map_layout const order : {map_layout::channels_last, map_layout::padded}) {
      pair_batch<double> b(four_tokens, 2.0, order, order, order);
      setting s{"", {.heads = 2, .reduce = reduce}};
      s.options.tokens = {.lengths = lengths};
      expect_pair<self_relation_case>(b, s, "lengths");
      s.options.tokens = {.lengths = lengths, .weights = of_sequences};
      expect_pair<self_relation_case>(b, s, "lengths and weights of sequences");
      s.options.tokens = {.keys = keys, .weights = of_sequences};
      expect_pair<self_relation_case>(b, s, "keys and weights of sequences");
      s.options.tokens = {.lengths = lengths, .keys = keys, .weights = of_queries};
      expect_pair<self_relation_case>(b, s, "lengths, keys and weights of queries");
    }
  }
}

TEST(self_relation, says_what_it_was_divided_by) {
  pair_batch<double> const b(four_tokens);
  std::vector<int> const lengths = {4, 0, 2};
  relation_options options{.heads = 2, .tokens = {.lengths = lengths}};
  EXPECT_EQ(self_relation(b.student.map(), b.teacher.map(), options).weight, 2.0);
  options.reduce = attention_reduction::mean;
  EXPECT_EQ(self_relation(b.student.map(), b.teacher.map(), options).weight, 12.0);
}

TEST(self_relation, does_not_see_padding_on_either_side) {
  std::vector<double> const mask = {0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0};
  std::vector<int> const lengths = {4, 3, 3};
  for (bool const by_length : {false, true}) {
    pair_batch<double> b(four_tokens, 2.0, map_layout::channels_last, map_layout::channels_first);
    relation_options options{.heads = 2};
    if (by_length) {
      options.tokens.lengths = lengths;
    } else {
      options.tokens.keys = options.tokens.weights = mask;
    }
    loss_value const before = self_relation(b.student.map(), b.teacher.map(), options);
    for (index n = 0; n < 3; ++n) {
      for (index i = 0; i < 4; ++i) {
        if (by_length ? i < lengths[static_cast<std::size_t>(n)]
                      : mask[static_cast<std::size_t>(n * 4 + i)] > 0)
          continue;
        for (index c = 0; c < 4; ++c) b.student.set(n, c, 0, i, std::nan(""));
        for (index c = 0; c < 6; ++c) b.teacher.set(n, c, 0, i, std::nan(""));
      }
    }
    loss_value const after =
        self_relation.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options);
    EXPECT_EQ(after.value, before.value);
    for_each_element(b.gradient.shape(), [&](index n, index c, index, index i) {
      double const gradient = b.gradient.at(n, c, 0, i);
      EXPECT_TRUE(std::isfinite(gradient));
      EXPECT_TRUE(gradient == 0.0 || std::isfinite(b.student.at(n, c, 0, i)));
    });
  }
}

template <class T>
void expect_slopes() {
  std::vector<int> const lengths = {4, 1, 2};
  for (auto const kind : {attention_divergence_kind::kl, attention_divergence_kind::cross_entropy}) {
    for (bool const squared : {false, true}) {
      pair_batch<T> b(four_tokens);
      auto const student = b.student.exact(), teacher = b.teacher.exact();
      std::vector<double> temperatures = {0.7, 2.5}, found(2);
      relation_options options{.temperature = temperatures,
                               .scale_by_temperature_squared = squared,
                               .heads = 2,
                               .kind = kind,
                               .tokens = {.lengths = lengths}};
      for (std::size_t head = 0; head < 2; ++head) {
        auto const at = [&](long double moved) {
          std::vector<double> there = temperatures;
          there[head] = static_cast<double>(moved);
          relation_options moved_options = options;
          moved_options.temperature = there;
          return relation_of(student, student, teacher, teacher, moved_options);
        };
        options.temperature_gradient = found;
        self_relation.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options);
        double const from = temperatures[head], factor = squared ? from * from : 1;
        expect_slope(found[head], at, from, self_relation_loss::bound, std::numeric_limits<T>::epsilon(),
                     factor * relation_scales(student, student, teacher, teacher, options).value,
                     "head " + std::to_string(head));
      }
      options.temperature = 0.7;
      options.temperature_gradient = std::span(found).first(1);
      (void)self_relation(b.student.map(), b.teacher.map(), options);
      double const alone = found[0];
      temperatures = {0.7, 0.7};
      options.temperature = temperatures;
      options.temperature_gradient = found;
      (void)self_relation(b.student.map(), b.teacher.map(), options);
      EXPECT_NEAR(found[0] + found[1], alone, 1e-14);
    }
  }
}

TEST(self_relation, knows_the_derivative_by_each_temperature) {
  expect_slopes<double>();
  expect_slopes<float>();
}

TEST(self_relation, is_nothing_between_relations_alike) {
  pair_batch<float> b({{2, 4, 1, 5}, {2, 4, 1, 5}});
  EXPECT_EQ(self_relation.with_grad(b.student.map(), b.student.map(), b.gradient.map(), {.heads = 2}).value,
            0.0);
  for_each_element(b.gradient.shape(),
                   [&](index n, index c, index y, index x) { EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0); });
}

TEST(self_relation, refuses) {
  pair_batch<float> b(four_tokens);
  auto const with = [&](relation_options const& options) {
    return refusal_of([&] { (void)self_relation(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({}),
            "distil::self_relation: heads is 12; it must be >= 1 and divide the hidden sizes 4 and 6");
  EXPECT_EQ(with({.heads = 0}),
            "distil::self_relation: heads is 0; it must be >= 1 and divide the hidden sizes 4 and 6");
  EXPECT_EQ(with({.temperature = 0, .heads = 2}),
            "distil::self_relation: temperature is 0; it must be within [1e-15, 1e15]");
  std::vector<double> three(3, 1.0);
  EXPECT_EQ(with({.temperature = three, .heads = 2}),
            "distil::self_relation: temperature is of size 3; it must be one number or one per head, 2");
  EXPECT_EQ(with({.heads = 2, .temperature_gradient = three}),
            "distil::self_relation: temperature_gradient is of size 3; it must be one per temperature, 1");
  EXPECT_EQ(with({.heads = 2, .tokens = {.keys = three}}),
            "distil::self_relation: tokens.keys is of size 3; it must be one per key, 12");
  std::vector<int> lengths = {1, 5, 1};
  EXPECT_EQ(with({.heads = 2, .tokens = {.lengths = lengths}}),
            "distil::self_relation: tokens.lengths is 5 at 1; it must be within [0, 4]");
  lengths = {1, 2};
  EXPECT_EQ(with({.heads = 2, .tokens = {.lengths = lengths}}),
            "distil::self_relation: tokens.lengths is of size 2; it must be one per sequence, 3");
  three[1] = -1;
  EXPECT_EQ(with({.heads = 2, .tokens = {.weights = three}}),
            "distil::self_relation: weights is -1 at 1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
