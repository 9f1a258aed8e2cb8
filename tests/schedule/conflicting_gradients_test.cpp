#include "distil/schedule/conflicting_gradients.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;

double dot(numbers const& a, numbers const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The algorithm as the paper writes it, on vectors.
numbers by_the_paper(std::vector<numbers> const& gradients,
                     std::vector<std::vector<std::size_t>> const& orders) {
  numbers total(gradients[0].size());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    numbers g = gradients[i];
    for (std::size_t const j : orders[i]) {
      if (j == i) continue;
      double const along = dot(g, gradients[j]);
      if (along >= 0) continue;
      for (std::size_t k = 0; k < g.size(); ++k)
        g[k] -= along / dot(gradients[j], gradients[j]) * gradients[j][k];
    }
    for (std::size_t k = 0; k < g.size(); ++k) total[k] += g[k];
  }
  return total;
}

TEST(project_conflicts, is_the_algorithm_of_the_paper) {
  random_stream random(4);
  for (int run = 0; run < 20; ++run) {
    std::vector<numbers> gradients(3, numbers(5));
    for (auto& each : gradients) {
      for (double& x : each) x = random.normal();
    }
    numbers const wanted = by_the_paper(gradients, {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}});
    std::array const given{std::span<double const>(gradients[0]), std::span<double const>(gradients[1]),
                           std::span<double const>(gradients[2])};
    numbers result(5), mean(5);
    project_conflicts<double>(given, result);
    project_conflicts<double>(given, mean, {.how = projected_sum::mean});
    for (std::size_t k = 0; k < 5; ++k) {
      EXPECT_NEAR(result[k], wanted[k], 1e-13);
      EXPECT_NEAR(mean[k], wanted[k] / 3, 1e-13);
    }
  }
}

TEST(project_conflicts, of_two_leaves_neither_side_worse) {
  std::vector<float> const hard{1, 0, 2}, soft{-2, 1, 0};
  std::array const given{std::span<float const>(hard), std::span<float const>(soft)};
  std::vector<float> result(3);
  gradient_conflicts const found = project_conflicts<float>(given, result);
  EXPECT_EQ(found.pairs, 1U);
  EXPECT_NEAR(found.smallest_cosine, -2 / 5.0, 1e-15);
  // (1, 0, 2) + 2/5 (-2, 1, 0) and (-2, 1, 0) + 2/5 (1, 0, 2).
  EXPECT_NEAR(result[0], 0.2 - 1.6, 1e-6);
  EXPECT_NEAR(result[1], 0.4 + 1.0, 1e-6);
  EXPECT_NEAR(result[2], 2.0 + 0.8, 1e-6);
}

TEST(project_conflicts, of_gradients_that_agree_is_their_sum) {
  std::vector<double> a{1, 2, 0}, b{0, 1, 3}, none{0, 0, 0};
  std::array const given{std::span<double const>(a), std::span<double const>(b),
                         std::span<double const>(none)};
  gradient_conflicts const found = project_conflicts<double>(given, a);  // in place
  EXPECT_EQ(a, (numbers{1, 3, 3}));
  EXPECT_EQ(found.pairs, 0U);
  EXPECT_NEAR(found.smallest_cosine, 2 / std::sqrt(50.0), 1e-15);
}

TEST(project_conflicts, draws_its_orders_by_seed) {
  std::vector<numbers> const gradients{{1, 0.2}, {-1, 0.3}, {-0.5, -1}};
  std::array const given{std::span<double const>(gradients[0]), std::span<double const>(gradients[1]),
                         std::span<double const>(gradients[2])};
  std::vector<std::vector<std::size_t>> const both{{0, 1, 2}, {2, 1, 0}};
  bool seen[8] = {};
  random_stream random(2);
  for (int run = 0; run < 200; ++run) {
    numbers result(2);
    project_conflicts<double>(given, result, {.random = &random});
    bool is_some = false;
    for (std::size_t choice = 0; choice < 8; ++choice) {
      numbers const wanted =
          by_the_paper(gradients, {both[choice & 1], both[choice >> 1 & 1], both[choice >> 2 & 1]});
      bool const same = std::abs(result[0] - wanted[0]) < 1e-13 && std::abs(result[1] - wanted[1]) < 1e-13;
      seen[choice] = seen[choice] || same;
      is_some = is_some || same;
    }
    EXPECT_TRUE(is_some);
  }
  for (bool const each : seen) EXPECT_TRUE(each);
}

TEST(project_conflicts, passes_what_is_no_number) {
  std::vector<double> const a{1, std::nan("")}, b{-1, 1};
  std::array const given{std::span<double const>(a), std::span<double const>(b)};
  numbers result(2);
  project_conflicts<double>(given, result);
  EXPECT_EQ(result[0], 0.0);
  EXPECT_TRUE(std::isnan(result[1]));
}

TEST(project_conflicts, refuses) {
  numbers result(2);
  std::vector<double> const a{1, 2, 3};
  std::array const given{std::span<double const>(a)};
  EXPECT_EQ(refusal_of([&] { project_conflicts<double>(given, result); }),
            "distil::project_conflicts: gradient is of size 3; it must be of the result's size, 2");
  EXPECT_EQ(refusal_of([&] { project_conflicts<double>({}, result); }),
            "distil::project_conflicts: number of gradients is 0; it must be at least 1");
}

}  // namespace
}  // namespace distil
