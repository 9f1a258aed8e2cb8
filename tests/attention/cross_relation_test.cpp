#include "distil/attention/cross_relation.hpp"

#include <gtest/gtest.h>

#include "../support/cases/cross_relation.hpp"
#include "../support/refusal.hpp"
#include "../support/reversing_executor.hpp"
#include "../support/slope_bound.hpp"
#include "distil/attention/self_relation.hpp"

namespace distil::testing {
namespace {

using relation = cross_relation_case;

/// States of queries and keys, of student and teacher, and room for the gradients.
template <class T>
struct states {
  owned_map<T> student_x, student_y, teacher_x, teacher_y, gradient_x, gradient_y;

  states(map_shape const& queries, map_shape const& keys, index features_of_teacher,
         map_layout order = map_layout::channels_last, std::uint64_t seed = 1)
      : student_x(queries, order),
        student_y(keys, order),
        teacher_x({queries[0], features_of_teacher, queries[2], queries[3]}, order),
        teacher_y({keys[0], features_of_teacher, keys[2], keys[3]}, order),
        gradient_x(queries, order),
        gradient_y(keys, order) {
    numbers random(seed);
    for (auto* map : {&student_x, &student_y, &teacher_x, &teacher_y})
      map->fill([&](index, index, index, index) { return 2 * random.next(); });
  }

  [[nodiscard]] auto student() const { return related_states{student_x.map(), student_y.map()}; }
  [[nodiscard]] auto teacher() const { return related_states{teacher_x.map(), teacher_y.map()}; }
  [[nodiscard]] auto gradient() { return related_states{gradient_x.map(), gradient_y.map()}; }
  [[nodiscard]] long double truth(relation_options const& o) const {
    return relation_of(student_x.exact(), student_y.exact(), teacher_x.exact(), teacher_y.exact(), o);
  }
};

/// Value and both gradients against the naive formula and its differences.
template <class T>
void expect_truth(states<T>& b, relation_options const& o, std::string const& what) {
  double const epsilon = std::numeric_limits<T>::epsilon();
  auto const x = b.student_x.exact(), y = b.student_y.exact(), tx = b.teacher_x.exact(),
             ty = b.teacher_y.exact();
  auto const scales = relation_scales(x, y, tx, ty, o);
  loss_value const found = cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), o);
  EXPECT_EQ(cross_relation(b.student(), b.teacher(), o).value, found.value) << what;
  EXPECT_NEAR(found.value, static_cast<double>(relation_of(x, y, tx, ty, o)),
              relation::bound.value * epsilon * scales.value)
      << what;
  auto const expect_slopes = [&](exact_map moved, owned_map<T> const& gradient, auto const& at) {
    for (std::size_t i = 0; i < moved.values.size(); ++i) {
      long double const before = moved.values[i], step = 1e-4L;
      auto const of = [&](long double value) {
        moved.values[i] = value;
        return at(moved);
      };
      long double const near = of(before + step) - of(before - step),
                        far = of(before + 2 * step) - of(before - 2 * step);
      moved.values[i] = before;
      EXPECT_NEAR(static_cast<double>(gradient.exact().values[i]),
                  static_cast<double>((8 * near - far) / (12 * step)),
                  (relation::bound.gradient * epsilon + 1e-11) * scales.gradient)
          << what << ", element " << i;
    }
    EXPECT_EQ(gradient.damaged_guards(), 0) << what;
  };
  expect_slopes(x, b.gradient_x, [&](exact_map const& moved) { return relation_of(moved, y, tx, ty, o); });
  expect_slopes(y, b.gradient_y, [&](exact_map const& moved) { return relation_of(x, moved, tx, ty, o); });
}

TEST(cross_relation, matches_the_reference) {
  std::vector<double> const temperatures = {0.6, 2};
  std::vector<int> const lengths = {3, 2};
  std::vector<double> const of_queries = {1, 0, 2, 0.5, 1, 1}, keys = {1, 0, 1, 1, 1, 1, 0, 0, 1, 1};
  for (map_layout const order : every_layout) {
    states<double> b({2, 4, 1, 3}, {2, 4, 1, 5}, 6, order);
    expect_truth(b, {.heads = 2}, "default");
    expect_truth(b,
                 {.temperature = temperatures,
                  .scale_by_temperature_squared = true,
                  .heads = 2,
                  .kind = attention_divergence_kind::cross_entropy,
                  .reduce = attention_reduction::mean},
                 "temperatures");
    expect_truth(b, {.heads = 1, .tokens = {.lengths = lengths, .keys = keys, .weights = of_queries}},
                 "tokens");
  }
  states<float> b({2, 4, 1, 3}, {2, 4, 1, 5}, 6);
  expect_truth(b, {.heads = 2}, "float");
  states<float> one({1, 1, 1, 1}, {1, 1, 1, 1}, 1);
  expect_truth(one, {.heads = 1}, "one token");
}

template <class T>
void expect_slopes() {
  states<T> b({2, 4, 1, 3}, {2, 4, 1, 5}, 6);
  std::vector<double> const temperatures = {0.6, 2};
  std::vector<double> found(2);
  relation_options options{.temperature = temperatures, .heads = 2, .temperature_gradient = found};
  cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), options);
  double const size = relation_scales(b.student_x.exact(), b.student_y.exact(), b.teacher_x.exact(),
                                      b.teacher_y.exact(), options)
                          .value;
  for (std::size_t head = 0; head < 2; ++head) {
    auto const at = [&](long double moved) {
      std::vector<double> there = temperatures;
      there[head] = static_cast<double>(moved);
      relation_options moved_options = options;
      moved_options.temperature = there;
      return b.truth(moved_options);
    };
    expect_slope(found[head], at, temperatures[head], relation::bound, std::numeric_limits<T>::epsilon(),
                 size, "head " + std::to_string(head));
  }
}

TEST(cross_relation, knows_the_derivative_by_each_temperature) {
  expect_slopes<double>();
  expect_slopes<float>();
}

TEST(cross_relation, of_the_same_states_twice_is_self_relation) {
  states<double> b({2, 4, 1, 3}, {2, 4, 1, 3}, 6);
  b.student_y = b.student_x, b.teacher_y = b.teacher_x;
  owned_map<double> whole({2, 4, 1, 3}, map_layout::channels_last);
  double const expected =
      self_relation.with_grad(b.student_x.map(), b.teacher_x.map(), whole.map(), {.heads = 2});
  EXPECT_NEAR(cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), {.heads = 2}), expected,
              1e-15);
  for_each_element(whole.shape(), [&](index n, index c, index y, index x) {
    EXPECT_NEAR(b.gradient_x.at(n, c, y, x) + b.gradient_y.at(n, c, y, x), whole.at(n, c, y, x), 1e-14);
  });
}

TEST(cross_relation, does_not_see_what_does_not_count) {
  std::vector<double> const of_queries = {0, 1, 1, 1, 1, 0}, keys = {0, 1, 1, 1, 1, 0};
  states<double> b({2, 4, 1, 3}, {2, 4, 1, 3}, 6);
  relation_options const options{.heads = 2, .tokens = {.keys = keys, .weights = of_queries}};
  double const before = cross_relation(b.student(), b.teacher(), options);
  for (auto* map : {&b.student_x, &b.student_y, &b.teacher_x, &b.teacher_y}) {
    for (index c = 0; c < map->shape()[1]; ++c) {
      map->set(0, c, 0, 0, std::nan(""));
      map->set(1, c, 0, 2, std::nan(""));
    }
  }
  EXPECT_EQ(cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), options), before);
  for (auto const* map : {&b.gradient_x, &b.gradient_y}) {
    for (index c = 0; c < 4; ++c) {
      EXPECT_EQ(map->at(0, c, 0, 0), 0.0);
      EXPECT_EQ(map->at(1, c, 0, 2), 0.0);
      EXPECT_TRUE(std::isfinite(map->at(0, c, 0, 1)));
    }
  }
}

TEST(cross_relation, writes_in_place_and_adds) {
  states<double> b({2, 4, 1, 3}, {2, 4, 1, 3}, 6), in_place({2, 4, 1, 3}, {2, 4, 1, 3}, 6), sum = b;
  cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), {.heads = 2});
  cross_relation.with_grad(in_place.student(), in_place.teacher(),
                           related_states{in_place.student_x.map(), in_place.student_y.map()}, {.heads = 2});
  sum.gradient_x.fill(0.5), sum.gradient_y.fill(0.25);
  cross_relation.with_grad(sum.student(), sum.teacher(), sum.gradient(), {.heads = 2, .accumulate = true});
  for_each_element(b.gradient_x.shape(), [&](index n, index c, index y, index x) {
    EXPECT_EQ(in_place.student_x.at(n, c, y, x), b.gradient_x.at(n, c, y, x));
    EXPECT_EQ(in_place.student_y.at(n, c, y, x), b.gradient_y.at(n, c, y, x));
    EXPECT_EQ(sum.gradient_x.at(n, c, y, x), b.gradient_x.at(n, c, y, x) + 0.5);
    EXPECT_EQ(sum.gradient_y.at(n, c, y, x), b.gradient_y.at(n, c, y, x) + 0.25);
  });
}

TEST(cross_relation, is_multiplied_by_its_weight) {
  states<double> b({2, 4, 1, 3}, {2, 4, 1, 3}, 6), weighed = b;
  double slope = 0, weighed_slope = 42;
  double const one = cross_relation.with_grad(b.student(), b.teacher(), b.gradient(),
                                              {.heads = 2, .temperature_gradient = {&slope, 1}});
  for (double const weight : {0.375, 0.0}) {
    if (weight == 0.0) weighed.student_x.fill(std::nan("")), weighed.teacher_y.fill(std::nan(""));
    EXPECT_DOUBLE_EQ(
        cross_relation.with_grad(weighed.student(), weighed.teacher(), weighed.gradient(),
                                 {.heads = 2, .weight = weight, .temperature_gradient = {&weighed_slope, 1}}),
        weight * one);
    EXPECT_DOUBLE_EQ(weighed_slope, weight * slope);
    for_each_element(b.gradient_x.shape(), [&](index n, index c, index y, index x) {
      EXPECT_DOUBLE_EQ(weighed.gradient_x.at(n, c, y, x), weight * b.gradient_x.at(n, c, y, x));
      EXPECT_DOUBLE_EQ(weighed.gradient_y.at(n, c, y, x), weight * b.gradient_y.at(n, c, y, x));
    });
  }
}

TEST(cross_relation, gives_the_same_bits_under_every_policy) {
  states<float> b({30, 16, 1, 40}, {30, 16, 1, 40}, 24), other({30, 16, 1, 40}, {30, 16, 1, 40}, 24);
  double const expected = cross_relation.with_grad(b.student(), b.teacher(), b.gradient(), {.heads = 4});
  reversing_executor executor(3);
  EXPECT_EQ(cross_relation.with_grad(run_on(executor), other.student(), other.teacher(), other.gradient(),
                                     {.heads = 4}),
            expected);
  for_each_element(b.gradient_x.shape(), [&](index n, index c, index y, index x) {
    ASSERT_EQ(b.gradient_x.at(n, c, y, x), other.gradient_x.at(n, c, y, x));
    ASSERT_EQ(b.gradient_y.at(n, c, y, x), other.gradient_y.at(n, c, y, x));
  });
}

TEST(cross_relation, refuses) {
  states<float> b({2, 4, 1, 3}, {2, 4, 1, 5}, 6), same({2, 4, 1, 3}, {2, 4, 1, 3}, 6),
      wide({2, 4, 1, 3}, {2, 6, 1, 3}, 6);
  auto const of = [](auto const& call) { return refusal_of(call); };
  EXPECT_EQ(of([&] { (void)cross_relation(b.student(), b.teacher()); }),
            "distil::cross_relation: heads is 12; it must be >= 1 and divide the hidden sizes 4 and 6");
  EXPECT_EQ(of([&] {
              (void)cross_relation(wide.student(), wide.teacher());
            }).rfind("distil::cross_relation: student's keys is 2 x 6", 0),
            0U);
  EXPECT_EQ(of([&] {
              (void)cross_relation(b.student(), same.teacher());
            }).rfind("distil::cross_relation: teacher's keys is 2 x 6", 0),
            0U);
  relation_options const two{.heads = 2};
  auto const with = [&](auto const& x, auto const& y) {
    return of([&] { cross_relation.with_grad(same.student(), same.teacher(), related_states{x, y}, two); });
  };
  EXPECT_EQ(with(same.gradient_x.map(), same.gradient_x.map()),
            "distil::cross_relation: gradient is of queries and keys in one place; it must be the "
            "states it belongs "
            "to, or apart from all");
  EXPECT_EQ(
      with(same.student_y.map(), same.gradient_y.map()),
      "distil::cross_relation: gradient is that of the queries, overlapping the student's keys; it must be "
      "the states it belongs to, or apart from all");
  EXPECT_EQ(
      with(same.gradient_x.map(), same.student_x.map()),
      "distil::cross_relation: gradient is that of the keys, overlapping the student's queries; it must be "
      "the states it belongs to, or apart from all");
}

}  // namespace
}  // namespace distil::testing
