#include "distil/attention/attention_divergence.hpp"

#include "../support/cases/attention_divergence.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<attention_divergence_case> const suites("attention_divergence");

using setting = attention_divergence_case::setting;
constexpr pair_shape three_sequences{{3, 2, 4, 4}, {3, 2, 4, 4}};

TEST(attention_divergence, counts_the_tokens_that_are_there) {
  std::vector<std::int64_t> const lengths = {4, 0, 2};
  std::vector<float> const of_sequences = {0.5F, 3.0F, 2.0F};
  std::vector<double> const of_queries = {1, 0, 2, 1, 1, 1, 1, 1, 0.5, 0, 0, 4};
  std::vector<double> const keys = {0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1};
  for (auto const heads : {attention_heads::each, attention_heads::mean}) {
    for (auto const reduce :
         {attention_reduction::mean, attention_reduction::sequence_mean, attention_reduction::sum}) {
      pair_batch<double> b(three_sequences, 2.0, map_layout::padded, map_layout::channels_last);
      setting s{"", {.heads = heads, .reduce = reduce}};
      s.options.tokens = {.lengths = lengths};
      expect_pair<attention_divergence_case>(b, s, "lengths");
      s.options.tokens = {.lengths = lengths, .weights = of_sequences};
      expect_pair<attention_divergence_case>(b, s, "lengths and weights of sequences");
      s.options.tokens = {.lengths = lengths, .keys = keys, .weights = of_queries};
      expect_pair<attention_divergence_case>(b, s, "lengths, keys and weights of queries");
    }
  }
}

TEST(attention_divergence, masks_keys_where_queries_and_keys_differ_in_number) {
  std::vector<double> const keys = {0, 1, 1, 1, 0, 1, 1, 0, 1, 1};
  std::vector<double> const of_queries = {1, 0, 2, 0.5, 1, 3};
  for (pair_shape const& shape : {pair_shape{{2, 2, 3, 5}, {2, 2, 3, 5}}, {{5, 2, 3, 2}, {5, 2, 3, 2}}}) {
    for (map_layout const order : every_layout) {
      pair_batch<double> b(shape, 2.0, order, map_layout::channels_last, order);
      setting s{"", {}};
      s.options.tokens = {.keys = keys};
      expect_pair<attention_divergence_case>(b, s, "keys");
      if (shape.student[0] == 2) s.options.tokens.weights = of_queries;
      expect_pair<attention_divergence_case>(b, s, "keys and weights of queries");
    }
  }
}

TEST(attention_divergence, takes_other_numbers_of_heads_together) {
  for (auto const heads : {attention_heads::mean, attention_heads::sum}) {
    pair_batch<double> b({{2, 2, 3, 3}, {2, 5, 3, 3}});
    expect_pair<attention_divergence_case>(b, setting{"heads together", {.heads = heads}}, "2 and 5 heads");
  }
}

TEST(attention_divergence, masks_entries_of_minus_infinity) {
  pair_batch<double> b(three_sequences), finite(three_sequences);
  for (index n = 0; n < 3; ++n) {
    for (index head = 0; head < 2; ++head) {
      for (index i = 0; i < 4; ++i) {
        for (index j = i + 1; j < 4; ++j) {  // causal
          for (auto* map : {&b.student, &b.teacher}) map->set(n, head, i, j, -INFINITY);
          for (auto* map : {&finite.student, &finite.teacher}) map->set(n, head, i, j, -1e9);
        }
      }
    }
  }
  double temperature_gradient = 0, expected = 0;
  double const found =
      attention_divergence.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(),
                                     {.temperature = 2, .temperature_gradient = {&temperature_gradient, 1}});
  EXPECT_NEAR(
      found,
      attention_divergence.with_grad(finite.student.map(), finite.teacher.map(), finite.gradient.map(),
                                     {.temperature = 2, .temperature_gradient = {&expected, 1}}),
      1e-14);
  EXPECT_NEAR(temperature_gradient, expected, 1e-14);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_NEAR(b.gradient.at(n, c, y, x), finite.gradient.at(n, c, y, x), 1e-15);
  });
}

TEST(attention_divergence, does_not_count_rows_that_are_masked) {
  pair_batch<double> b(three_sequences), without(three_sequences);
  for (index j = 0; j < 4; ++j) b.student.set(1, 0, 2, j, -INFINITY), b.teacher.set(2, 1, 0, j, -INFINITY);
  loss_value const found = attention_divergence.with_grad(b.student.map(), b.teacher.map(), b.gradient.map());
  EXPECT_EQ(found.weight, 22.0);
  loss_value const all = attention_divergence(without.student.map(), without.teacher.map());
  EXPECT_EQ(all.weight, 24.0);
  EXPECT_NEAR(found.value,
              static_cast<double>(attention_divergence_of(b.student.exact(), b.teacher.exact(), {})), 1e-14);
  for (index j = 0; j < 4; ++j) {
    EXPECT_EQ(b.gradient.at(1, 0, 2, j), 0.0);
    EXPECT_EQ(b.gradient.at(2, 1, 0, j), 0.0);
  }
}

TEST(attention_divergence, is_infinite_where_the_student_masks_what_the_teacher_sees) {
  pair_batch<float> b(three_sequences);
  b.student.set(0, 0, 0, 1, -INFINITY);
  EXPECT_EQ(attention_divergence(b.student.map(), b.teacher.map()).value, INFINITY);
}

TEST(attention_divergence, does_not_see_what_does_not_count) {
  std::vector<int> const lengths = {3, 3, 3};
  pair_batch<double> b(three_sequences);
  attention_divergence_options const options{.tokens = {.lengths = lengths}};
  double const before = attention_divergence(b.student.map(), b.teacher.map(), options);
  for (index n = 0; n < 3; ++n) {
    for (index j = 0; j < 4; ++j) {
      b.student.set(n, 1, 3, j, std::nan("")), b.student.set(n, 0, j, 3, std::nan(""));
      b.teacher.set(n, 1, 3, j, std::nan("")), b.teacher.set(n, 0, j, 3, std::nan(""));
    }
  }
  EXPECT_EQ(attention_divergence.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options),
            before);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    if (y == 3 || x == 3) {
      EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0);
    }
  });
}

template <class T>
void expect_slopes() {
  std::vector<int> const lengths = {4, 1, 2};
  for (auto options :
       {attention_divergence_options{}, attention_divergence_options{.scale_by_temperature_squared = true},
        attention_divergence_options{.kind = attention_divergence_kind::cross_entropy, .dropped_to = -0.2}}) {
    pair_batch<T> b(three_sequences);
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    std::vector<double> const temperatures = {0.7, 2.5};
    std::vector<double> found(2);
    options.tokens = {.lengths = lengths};
    options.temperature = temperatures;
    options.temperature_gradient = found;
    attention_divergence.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options);
    for (std::size_t head = 0; head < 2; ++head) {
      auto const at = [&](long double moved) {
        std::vector<double> there = temperatures;
        there[head] = static_cast<double>(moved);
        auto moved_options = options;
        moved_options.temperature = there;
        return attention_divergence_of(student, teacher, moved_options);
      };
      auto alone = options;
      alone.temperature = temperatures[head];
      expect_slope(found[head], at, temperatures[head], attention_divergence_loss::bound,
                   std::numeric_limits<T>::epsilon(),
                   attention_divergence_case::scales(student, teacher, {"", alone}).value,
                   "head " + std::to_string(head));
    }
  }
}

TEST(attention_divergence, knows_the_derivative_by_each_temperature) {
  expect_slopes<double>();
  expect_slopes<float>();
}

TEST(attention_divergence, refuses) {
  pair_batch<float> b(three_sequences), wide({{3, 2, 4, 4}, {3, 5, 4, 4}});
  auto const with = [&](attention_divergence_options const& options) {
    return refusal_of([&] { (void)attention_divergence(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.dropped_to = -1}),
            "distil::attention_divergence: dropped_to is -1; it must be -inf unless kind is cross_entropy");
  EXPECT_EQ(with({.kind = attention_divergence_kind::cross_entropy, .dropped_to = std::nan("")}),
            "distil::attention_divergence: dropped_to is nan; it must be a number");
  std::vector<double> two(2, 1.0);
  EXPECT_EQ(
      with({.temperature = two, .heads = attention_heads::mean}),
      "distil::attention_divergence: temperature is of size 2; it must be one number or one per head, 1");
  two[1] = -1;
  EXPECT_EQ(with({.temperature = two}),
            "distil::attention_divergence: temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(
      refusal_of([&] { (void)attention_divergence(wide.student.map(), wide.teacher.map()); }),
      "distil::attention_divergence: teacher is 3 x 5 x 4 x 4; it must be 3 x 2 x 4 x 4 as the student in "
      "samples, channels, height, width");
}

}  // namespace
}  // namespace distil::testing
