#include "distil/attention/sum_over_layers.hpp"

#include <gtest/gtest.h>

#include "../support/owned_map.hpp"
#include "../support/refusal.hpp"
#include "../support/reversing_executor.hpp"
#include "distil/attention/attention_divergence.hpp"
#include "distil/attention/attention_scores.hpp"
#include "distil/feature/hint.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

using matches = std::vector<layer_match>;

/// As many maps, with numbers of their own.
template <class T>
std::vector<owned_map<T>> layers(int count, map_shape const& shape, std::uint64_t seed,
                                 map_layout order = map_layout::channels_first) {
  numbers random(seed);
  std::vector<owned_map<T>> result;
  for (int layer = 0; layer < count; ++layer) {
    result.emplace_back(shape, order);
    result.back().fill([&](index, index, index, index) { return 2 * random.next(); });
  }
  return result;
}

template <class T>
std::vector<feature_map<T>> maps(std::vector<owned_map<T>>& layers) {
  std::vector<feature_map<T>> result;
  for (auto& layer : layers) result.push_back(layer.map());
  return result;
}

std::vector<std::array<index, 2>> numbers_of(matches const& of) {
  std::vector<std::array<index, 2>> result;
  for (layer_match const& match : of) result.push_back({match.student, match.teacher});
  return result;
}

using numbers_list = std::vector<std::array<index, 2>>;

TEST(layer_matches, follow_the_papers) {
  EXPECT_EQ(numbers_of(uniform_layers(4, 12)), (numbers_list{{0, 2}, {1, 5}, {2, 8}, {3, 11}}));
  EXPECT_EQ(numbers_of(uniform_layers(2, 5)), (numbers_list{{0, 1}, {1, 4}}));
  EXPECT_EQ(numbers_of(uniform_layers(3, 3)), (numbers_list{{0, 0}, {1, 1}, {2, 2}}));
  EXPECT_EQ(numbers_of(uniform_hidden_states(4, 12)),
            (numbers_list{{0, 0}, {1, 3}, {2, 6}, {3, 9}, {4, 12}}));
  EXPECT_EQ(numbers_of(last_layers(4, 12)), (numbers_list{{0, 8}, {1, 9}, {2, 10}, {3, 11}}));
  // Patient KD counts layers from 1: 2, 4, ... 10 when it skips, 7 ... 11 of the last.
  EXPECT_EQ(numbers_of(without_last(uniform_layers(6, 12))),
            (numbers_list{{0, 1}, {1, 3}, {2, 5}, {3, 7}, {4, 9}}));
  EXPECT_EQ(numbers_of(without_last(last_layers(6, 12))),
            (numbers_list{{0, 6}, {1, 7}, {2, 8}, {3, 9}, {4, 10}}));
  EXPECT_TRUE(without_last({}).empty());
}

TEST(layer_matches, refuse) {
  EXPECT_EQ(refusal_of([] { (void)uniform_layers(0, 3); }),
            "distil::uniform_layers: student is 0; it must be >= 1 layer");
  EXPECT_EQ(refusal_of([] { (void)last_layers(4, 3); }),
            "distil::last_layers: teacher is 3; it must be at least as many layers as the student's 4");
}

constexpr map_shape attention = {2, 2, 3, 5};

/// Layers 0 and 2 learn from two of the teacher's, layer 1 from none that counts, layer 3 from none.
matches const several = {{.student = 0, .teacher = 1, .weight = 1, .temperature = 1.5},
                         {.student = 2, .teacher = 0, .weight = 0.25, .temperature = 3},
                         {.student = 1, .teacher = 2, .weight = 0},
                         {.student = 0, .teacher = 2, .weight = 2, .temperature = 2},
                         {.student = 2, .teacher = 2, .weight = 3, .temperature = 5}};

/// The weighted sum, match by match; its gradients are added in `gradients`.
double naive(matches const& of, std::vector<owned_map<double>> const& student,
             std::vector<owned_map<double>> const& teacher, std::vector<owned_map<double>>& gradients) {
  double sum = 0;
  for (layer_match const& match : of) {
    auto const s = static_cast<std::size_t>(match.student), t = static_cast<std::size_t>(match.teacher);
    owned_map<double> one(attention, map_layout::channels_first);
    sum += match.weight * attention_divergence.with_grad(student[s].map(), teacher[t].map(), one.map(),
                                                         {.temperature = match.temperature});
    for_each_element(attention, [&](index n, index c, index y, index x) {
      gradients[s].set(n, c, y, x, gradients[s].at(n, c, y, x) + match.weight * one.at(n, c, y, x));
    });
  }
  return sum;
}

TEST(sum_over_layers, brings_weights_to_value_and_gradient) {
  for (map_layout const order : every_layout) {
    for (bool const accumulate : {false, true}) {
      auto const student = layers<double>(4, attention, 1), teacher = layers<double>(3, attention, 2);
      auto found = layers<double>(4, attention, 3, order), expected = layers<double>(4, attention, 3);
      for (auto& layer : expected) {
        if (!accumulate) layer.fill(0.0);
      }
      double const value = naive(several, student, teacher, expected);
      auto const call = [&](layer_match const& match, feature_map<double> const& gradient) {
        return attention_divergence.with_grad(student[static_cast<std::size_t>(match.student)].map(),
                                              teacher[static_cast<std::size_t>(match.teacher)].map(),
                                              gradient, {.temperature = match.temperature});
      };
      layers_value const loss =
          sum_over_layers.with_grad(several, maps(found), call, {.accumulate = accumulate});
      EXPECT_NEAR(loss.value, value, 1e-14);
      EXPECT_EQ(loss.weight, 12.0);
      ASSERT_EQ(loss.matches.size(), several.size());
      EXPECT_EQ(loss.matches[2].value, 0.0);
      for (std::size_t k : {0U, 1U, 3U, 4U}) {
        auto const& match = several[k];
        EXPECT_EQ(loss.matches[k].value,
                  attention_divergence(student[static_cast<std::size_t>(match.student)].map(),
                                       teacher[static_cast<std::size_t>(match.teacher)].map(),
                                       {.temperature = match.temperature})
                      .value);
      }
      for (std::size_t layer = 0; layer < 4; ++layer) {
        EXPECT_EQ(found[layer].damaged_guards(), 0);
        for_each_element(attention, [&](index n, index c, index y, index x) {
          ASSERT_NEAR(found[layer].at(n, c, y, x), expected[layer].at(n, c, y, x), 1e-14)
              << name_of(order) << ", layer " << layer;
        });
      }
      EXPECT_EQ(sum_over_layers(several,
                                [&](layer_match const& match) {
                                  return attention_divergence(
                                      student[static_cast<std::size_t>(match.student)].map(),
                                      teacher[static_cast<std::size_t>(match.teacher)].map(),
                                      {.temperature = match.temperature});
                                })
                    .value,
                loss.value);
    }
  }
}

TEST(sum_over_layers, gives_the_same_bits_under_every_policy) {
  auto const student = layers<float>(3, {40, 9, 13, 11}, 1), teacher = layers<float>(3, {40, 9, 13, 11}, 2);
  auto serially = layers<float>(3, {40, 9, 13, 11}, 3), found = layers<float>(3, {40, 9, 13, 11}, 3);
  auto const call = [&](layer_match const& match, auto const& gradient) {
    return hint.with_grad(student[static_cast<std::size_t>(match.student)].map(),
                          teacher[static_cast<std::size_t>(match.teacher)].map(), gradient);
  };
  double const expected = sum_over_layers.with_grad(several, maps(serially), call);
  reversing_executor executor(3);
  auto const expect_same = [&](double value) {
    EXPECT_EQ(value, expected);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      for_each_element(found[layer].shape(), [&](index n, index c, index y, index x) {
        ASSERT_EQ(found[layer].at(n, c, y, x), serially[layer].at(n, c, y, x));
      });
    }
  };
  expect_same(sum_over_layers.with_grad(parallel, several, maps(found), call));
  expect_same(sum_over_layers.with_grad(run_on(executor), several, maps(found), call));
}

TEST(sum_over_layers, computes_gradients_of_16_bits_in_float) {
  auto const student = layers<float>(3, {2, 3, 2, 2}, 1), teacher = layers<float>(3, {2, 3, 2, 2}, 2);
  auto narrow = layers<bfloat16>(3, {2, 3, 2, 2}, 3, map_layout::channels_last);
  auto wide = layers<float>(3, {2, 3, 2, 2}, 3);
  auto const call = [&](layer_match const& match, feature_map<float> const& gradient) {
    return hint.with_grad(student[static_cast<std::size_t>(match.student)].map(),
                          teacher[static_cast<std::size_t>(match.teacher)].map(), gradient);
  };
  matches const once = {{.student = 0, .teacher = 1}, {.student = 2, .teacher = 0, .weight = 100}};
  double const value = sum_over_layers.with_grad(once, maps(wide), call);
  EXPECT_EQ(sum_over_layers.with_grad(once, maps(narrow), call).value, value);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for_each_element(wide[layer].shape(), [&](index n, index c, index y, index x) {
      EXPECT_EQ(narrow[layer].at(n, c, y, x),
                static_cast<float>(bfloat16(static_cast<float>(wide[layer].at(n, c, y, x)))));
    });
  }
}

TEST(sum_over_layers, takes_matrices) {
  std::vector<double> const student = {1, 2, 3, 4}, teacher = {1, 0, 3, 0};
  std::vector<double> first(4, 7.0), second(4, 7.0);
  std::vector<matrix_view<double>> const gradients = {{first.data(), 2, 2}, {second.data(), 2, 2}};
  matches const twice = {{.student = 1, .teacher = 0, .weight = 2},
                         {.student = 1, .teacher = 0, .weight = 3}};
  layers_value const loss = sum_over_layers.with_grad(
      twice, gradients, [&](layer_match const&, matrix_view<double> const& gradient) {
        return hint.with_grad(matrix_view(student.data(), 2, 2), matrix_view(teacher.data(), 2, 2), gradient);
      });
  EXPECT_EQ(loss.value, 25.0);
  EXPECT_EQ(loss.matches[1].value, 5.0);
  EXPECT_EQ(first, (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(second, (std::vector<double>{0, 5, 0, 10}));
}

/// TinyBERT's loss of the layers of a transformer, naive and as the contract of `sum_over_layers` says.
TEST(sum_over_layers, is_that_of_tiny_bert) {
  constexpr map_shape hidden = {2, 5, 1, 3};  // 3 tokens with 5 features, projected
  auto const attention_s = layers<double>(2, attention, 1), attention_t = layers<double>(6, attention, 2);
  auto const hidden_s = layers<double>(3, hidden, 3), hidden_t = layers<double>(7, hidden, 4);
  double expected = 0;
  auto const mean_of_squares = [](owned_map<double> const& a, owned_map<double> const& b) {
    double sum = 0, count = 0;
    for_each_element(a.shape(), [&](index n, index c, index y, index x) {
      sum += std::pow(a.at(n, c, y, x) - b.at(n, c, y, x), 2), ++count;
    });
    return sum / count;
  };
  for (std::size_t m = 1; m <= 2; ++m)
    expected += mean_of_squares(attention_s[m - 1], attention_t[3 * m - 1]);
  for (std::size_t m = 0; m <= 2; ++m) expected += mean_of_squares(hidden_s[m], hidden_t[3 * m]);
  double const of_attention = sum_over_layers(uniform_layers(2, 6), [&](layer_match const& match) {
    return attention_scores(attention_s[static_cast<std::size_t>(match.student)].map(),
                            attention_t[static_cast<std::size_t>(match.teacher)].map());
  });
  double const of_states = sum_over_layers(uniform_hidden_states(2, 6), [&](layer_match const& match) {
    return hint(hidden_s[static_cast<std::size_t>(match.student)].map(),
                hidden_t[static_cast<std::size_t>(match.teacher)].map());
  });
  EXPECT_NEAR(of_attention + of_states, expected, 1e-14);
}

/// DistilBERT's three losses, naive and as `attention/README.md` says.
TEST(sum_over_layers, is_with_others_that_of_distil_bert) {
  constexpr index tokens = 6, words = 4, features = 5;
  auto const logits = layers<double>(2, {tokens, words, 1, 1}, 1);
  auto const states = layers<double>(2, {2, features, 1, 3}, 2, map_layout::channels_last);
  std::vector<int> const labels = {2, -100, -100, 0, 3, -100};
  std::vector<double> const mask = {1, 1, 0, 1, 1, 1};
  double divergence = 0, entropy = 0, masked = 0, distance = 0, counted = 0;
  for (index token = 0; token < tokens; ++token) {
    auto const softened = [&](std::size_t model, index word, double temperature) {
      double sum = 0;
      for (index w = 0; w < words; ++w) sum += std::exp(logits[model].at(token, w) / temperature);
      return std::exp(logits[model].at(token, word) / temperature) / sum;
    };
    for (index w = 0; w < words; ++w) {
      double const p = softened(1, w, 2), q = softened(0, w, 2);
      divergence += 4 * p * std::log(p / q) / tokens;
    }
    int const label = labels[static_cast<std::size_t>(token)];
    if (label >= 0) entropy -= std::log(softened(0, label, 1)), ++masked;
    if (mask[static_cast<std::size_t>(token)] == 0) continue;
    double dot = 0, own = 0, other = 0;
    for (index c = 0; c < features; ++c) {
      double const s = states[0].at(token / 3, c, 0, token % 3), t = states[1].at(token / 3, c, 0, token % 3);
      dot += s * t, own += s * s, other += t * t;
    }
    distance += 1 - dot / std::sqrt(own * other), ++counted;
  }
  double const expected = 5 * divergence + 2 * entropy / masked + distance / counted;

  auto const objective =
      fuse(5.0 * forward_kl.term(logits[1].matrix(), {.temperature = 2}), 2.0 * cross_entropy.term(labels));
  matches const last = {{.student = 0, .teacher = 1, .weight = features / 2.0}};
  double const of_states = sum_over_layers(last, [&](layer_match const& match) {
    return hint(states[static_cast<std::size_t>(match.student)].map(),
                states[static_cast<std::size_t>(match.teacher)].map(),
                {.normalize = hint_normalization::positions, .weights = mask});
  });
  EXPECT_NEAR(objective(logits[0].matrix()).value + of_states, expected, 1e-13);
}

TEST(sum_over_layers, refuses) {
  auto gradients = layers<float>(2, attention, 1);
  auto const with = [&](layer_match const& match) {
    return refusal_of([&] {
      sum_over_layers.with_grad(matches{{}, match}, maps(gradients),
                                [](layer_match const&, auto const& gradient) {
                                  gradient(0, 0, 0, 0) = 1e6F;
                                  return loss_value();
                                });
    });
  };
  EXPECT_EQ(with({.student = 2}),
            "distil::sum_over_layers: student is layer 2; it must be one of the 2 that have a gradient");
  EXPECT_EQ(with({.student = -1}), "distil::sum_over_layers: student is -1; it must be >= 0");
  EXPECT_EQ(with({.teacher = -1}), "distil::sum_over_layers: teacher is -1; it must be >= 0");
  EXPECT_EQ(with({.weight = -1}), "distil::sum_over_layers: weight is -1; it must be finite and >= 0");
  EXPECT_NE(gradients[0].at(0, 0, 0, 0), 1e6);
}

}  // namespace
}  // namespace distil::testing
