#include "distil/attention/minilm_v2.hpp"

#include <gtest/gtest.h>

#include "../support/cases/minilm_v2.hpp"
#include "../support/refusal.hpp"
#include "distil/attention/self_relation.hpp"

namespace distil::testing {
namespace {

/// Queries, keys and values of a layer.
template <class T>
struct layer {
  std::array<owned_map<T>, 3> of;

  explicit layer(map_shape const& shape, std::uint64_t seed = 1)
      : of{owned_map<T>(shape, map_layout::channels_last), owned_map<T>(shape, map_layout::padded),
           owned_map<T>(shape, map_layout::channels_first)} {
    numbers random(seed);
    for (auto& map : of) map.fill([&](index, index, index, index) { return 2 * random.next(); });
  }
  [[nodiscard]] auto states() const { return attention_states{of[0].map(), of[1].map(), of[2].map()}; }
  [[nodiscard]] auto states() { return attention_states{of[0].map(), of[1].map(), of[2].map()}; }
};

/// The naive sum of the three relations.
template <class T>
double naive(layer<T> const& student, layer<T> const& teacher, minilm_v2_options const& o) {
  long double sum = 0;
  for (std::size_t kind = 0; kind < 3; ++kind) {
    auto const s = student.of[kind].exact(), t = teacher.of[kind].exact();
    sum += o.weights[kind] * relation_of(s, s, t, t, o.relation);
  }
  return static_cast<double>(sum);
}

TEST(minilm_v2, sums_three_relations) {
  std::vector<int> const lengths = {3, 2};
  for (auto const weights :
       {std::array<double, 3>{1.0 / 3, 1.0 / 3, 1.0 / 3}, std::array<double, 3>{1, 0, 4}}) {
    for (bool const accumulate : {false, true}) {
      layer<double> const student({2, 4, 1, 3}), teacher({2, 6, 1, 3}, 2);
      layer<double> found({2, 4, 1, 3}, 3), expected({2, 4, 1, 3}, 3);
      minilm_v2_options const options{
          .weights = weights,
          .relation = {.heads = 2, .tokens = {.lengths = lengths}, .accumulate = accumulate}};
      auto const loss = minilm_v2.with_grad(student.states(), teacher.states(), found.states(), options);
      EXPECT_NEAR(loss.value, naive(student, teacher, options), 1e-14);
      EXPECT_EQ(loss.weight, 2.0);
      EXPECT_EQ(minilm_v2(student.states(), teacher.states(), options).value, loss.value);
      for (std::size_t kind = 0; kind < 3; ++kind) {
        owned_map<double> one({2, 4, 1, 3}, map_layout::channels_first);
        auto alone = options.relation;
        alone.accumulate = false;
        EXPECT_EQ(
            loss.terms[kind].value,
            self_relation.with_grad(student.of[kind].map(), teacher.of[kind].map(), one.map(), alone).value);
        for_each_element(one.shape(), [&](index n, index c, index y, index x) {
          double const before = accumulate ? expected.of[kind].at(n, c, y, x) : 0.0;
          EXPECT_NEAR(found.of[kind].at(n, c, y, x), before + weights[kind] * one.at(n, c, y, x), 1e-14);
        });
      }
    }
  }
}

TEST(minilm_v2, is_multiplied_by_the_weight_of_its_relations) {
  layer<double> student({2, 4, 1, 3}), teacher({2, 6, 1, 3}, 2);
  layer<double> one({2, 4, 1, 3}, 3), weighed({2, 4, 1, 3}, 4);
  // A relation of weight 0 has no gradient, whatever its states hold.
  minilm_v2_options options{.weights = {0.5, 0, 2}, .relation = {.heads = 2}};
  student.of[1].fill(std::nan(""));
  auto const value =
      minilm_v2
          .with_grad(std::as_const(student).states(), std::as_const(teacher).states(), one.states(), options)
          .value;
  for (double const weight : {0.375, 0.0}) {
    options.relation.weight = weight;
    if (weight == 0.0) student.of[0].fill(std::nan(""));
    EXPECT_DOUBLE_EQ(minilm_v2
                         .with_grad(std::as_const(student).states(), std::as_const(teacher).states(),
                                    weighed.states(), options)
                         .value,
                     weight * value);
    for (std::size_t kind = 0; kind < 3; ++kind) {
      for_each_element(one.of[kind].shape(), [&](index n, index c, index y, index x) {
        EXPECT_DOUBLE_EQ(weighed.of[kind].at(n, c, y, x), weight * one.of[kind].at(n, c, y, x));
      });
    }
  }
}

TEST(minilm_v2, takes_a_joint_projection) {
  layer<float> const teacher({2, 6, 1, 3}, 2);
  layer<float> student({2, 4, 1, 3}), gradient({2, 4, 1, 3});
  std::vector<float> joint(2 * 3 * 12), joint_gradient(2 * 3 * 12);
  auto const part = [](std::vector<float>& from, index which) {
    return feature_map<float>(from.data() + 4 * which, 2, 4, 1, 3, {36, 1, 36, 12});
  };
  for (index kind = 0; kind < 3; ++kind) {
    for_each_element({2, 4, 1, 3}, [&](index n, index c, index y, index x) {
      part(joint, kind)(n, c, y, x) =
          static_cast<float>(student.of[static_cast<std::size_t>(kind)].at(n, c, y, x));
    });
  }
  minilm_v2_options const options{.relation = {.heads = 2}};
  double const expected = minilm_v2.with_grad(student.states(), teacher.states(), gradient.states(), options);
  attention_states const states{part(joint, 0), part(joint, 1), part(joint, 2)};
  attention_states const gradients{part(joint_gradient, 0), part(joint_gradient, 1), part(joint_gradient, 2)};
  EXPECT_EQ(minilm_v2.with_grad(states, teacher.states(), gradients, options).value, expected);
  EXPECT_EQ(minilm_v2.with_grad(states, teacher.states(), states, options).value, expected);
  EXPECT_EQ(joint, joint_gradient);
  for (index kind = 0; kind < 3; ++kind) {
    for_each_element({2, 4, 1, 3}, [&](index n, index c, index y, index x) {
      EXPECT_EQ(part(joint, kind)(n, c, y, x), gradient.of[static_cast<std::size_t>(kind)].at(n, c, y, x));
    });
  }
}

TEST(minilm_v2, writes_in_place) {
  layer<float> const teacher({2, 6, 1, 3}, 2);
  layer<float> student({2, 4, 1, 3}), gradient({2, 4, 1, 3});
  minilm_v2_options const options{.relation = {.heads = 2}};
  minilm_v2.with_grad(student.states(), teacher.states(), gradient.states(), options);
  minilm_v2.with_grad(parallel, student.states(), teacher.states(), student.states(), options);
  for (std::size_t kind = 0; kind < 3; ++kind) {
    for_each_element(student.of[kind].shape(), [&](index n, index c, index y, index x) {
      EXPECT_EQ(student.of[kind].at(n, c, y, x), gradient.of[kind].at(n, c, y, x));
    });
  }
}

TEST(minilm_v2, refuses) {
  layer<float> student({2, 4, 1, 3}), teacher({2, 6, 1, 3}), gradient({2, 4, 1, 3});
  layer<float> const before = gradient;
  double derivative = 0;
  auto const with = [&](minilm_v2_options const& options) {
    return refusal_of(
        [&] { minilm_v2.with_grad(student.states(), teacher.states(), gradient.states(), options); });
  };
  EXPECT_EQ(with({}), "distil::minilm_v2: heads is 12; it must be >= 1 and divide the hidden sizes 4 and 6");
  EXPECT_EQ(with({.weights = {1, -1, 1}, .relation = {.heads = 2}}),
            "distil::minilm_v2: weights is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.relation = {.heads = 2, .temperature_gradient = {&derivative, 1}}}),
            "distil::minilm_v2: temperature_gradient is wanted; it must be left to self_relation");
  std::vector<int> const lengths = {4, 1};
  EXPECT_EQ(with({.relation = {.heads = 2, .tokens = {.lengths = lengths}}}),
            "distil::minilm_v2: tokens.lengths is 4 at 0; it must be within [0, 3]");
  auto const to = [&](auto const& states) {
    return refusal_of(
        [&] { minilm_v2.with_grad(student.states(), teacher.states(), states, {.relation = {.heads = 2}}); });
  };
  auto const of = gradient.states();
  EXPECT_EQ(to(attention_states{of.queries, of.queries, of.values}),
            "distil::minilm_v2: gradient is of two kinds in one place; it must be the states it belongs to, "
            "or apart from "
            "all");
  EXPECT_EQ(to(attention_states{of.queries, of.keys, student.states().keys}),
            "distil::minilm_v2: gradient is overlapping other states of the student; it must be the states "
            "it belongs "
            "to, or apart from all");
  layer<float> fewer({1, 6, 1, 3});
  EXPECT_EQ(refusal_of([&] {
              (void)minilm_v2(student.states(), fewer.states(), {.relation = {.heads = 2}});
            }).rfind("distil::minilm_v2: teacher is 1 x 6", 0),
            0U);
  for (std::size_t kind = 0; kind < 3; ++kind)
    EXPECT_EQ(gradient.of[kind].at(0, 0, 0, 0), before.of[kind].at(0, 0, 0, 0));
}

}  // namespace
}  // namespace distil::testing
