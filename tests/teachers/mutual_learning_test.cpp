#include "distil/teachers/mutual_learning.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../support/batches.hpp"
#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;

struct cohort {
  std::vector<numbers> logits, slopes;
  std::vector<matrix_view<double const>> students;
  std::vector<matrix_view<double>> gradients;

  explicit cohort(std::size_t count) : logits(count), slopes(count, numbers(12, 7.0)) {
    testing::numbers source(3);
    for (std::size_t i = 0; i < count; ++i) {
      for (int j = 0; j < 12; ++j) logits[i].push_back(3 * source.next());
      students.push_back(matrix_view<double const>(logits[i].data(), 3, 4));
      gradients.push_back(matrix_view<double>(slopes[i].data(), 3, 4));
    }
  }
};

/// Mean over rows of T^2 KL(p || q), the naive way.
double kl(numbers const& teacher, numbers const& student, double T) {
  double value = 0;
  for (std::size_t r = 0; r < 12; r += 4) {
    double sum_p = 0, sum_q = 0;
    for (std::size_t c = r; c < r + 4; ++c) {
      sum_p += std::exp(teacher[c] / T);
      sum_q += std::exp(student[c] / T);
    }
    for (std::size_t c = r; c < r + 4; ++c) {
      double const p = std::exp(teacher[c] / T) / sum_p, q = std::exp(student[c] / T) / sum_q;
      value += T * T * p * std::log(p / q) / 3;
    }
  }
  return value;
}

TEST(mutual_learning, has_the_value_and_the_gradient_of_each_against_constant_peers) {
  for (peer_reduction const peers : {peer_reduction::sum, peer_reduction::mean}) {
    cohort three(3);
    double const T = 2, weight = 0.4, coefficient = peers == peer_reduction::sum ? weight : weight / 2;
    auto const values = mutual_learning(three.students, three.gradients,
                                        {.temperature = T, .peers = peers, .weight = weight});
    for (std::size_t i = 0; i < 3; ++i) {
      auto const total = [&](numbers const& student) {
        double sum = 0;
        for (std::size_t j = 0; j < 3; ++j) sum += j == i ? 0 : kl(three.logits[j], student, T);
        return coefficient * sum;
      };
      EXPECT_NEAR(values[i], total(three.logits[i]), 1e-13);
      EXPECT_EQ(values[i].weight, 3);
      for (std::size_t c = 0; c < 12; ++c) {
        numbers up = three.logits[i], down = up;
        up[c] += 1e-5;
        down[c] -= 1e-5;
        EXPECT_NEAR(three.slopes[i][c], (total(up) - total(down)) / 2e-5, 1e-9);
      }
    }
  }
}

TEST(mutual_learning, adds_to_gradients_and_is_nothing_alone) {
  cohort two(2), again(2), one(1);
  mutual_learning(two.students, two.gradients);
  mutual_learning(again.students, again.gradients, {.accumulate = true});
  for (std::size_t c = 0; c < 12; ++c) EXPECT_NEAR(again.slopes[1][c], two.slopes[1][c] + 7, 1e-14);
  EXPECT_EQ(mutual_learning(one.students, one.gradients, {.accumulate = true})[0].value, 0);
  EXPECT_EQ(one.slopes[0], numbers(12, 7.0));
  mutual_learning(one.students, one.gradients);
  EXPECT_EQ(one.slopes[0], numbers(12, 0.0));
}

TEST(mutual_learning, is_nothing_among_equals_and_keeps_a_nan_in_its_row) {
  cohort two(2);
  two.logits[1] = two.logits[0];
  two.logits[0][5] = two.logits[1][5] = two.logits[1][0];
  two.logits[0][0] = std::nan("");
  std::vector<double> const weights = {0, 1, 1};
  auto values = mutual_learning(two.students, two.gradients, {.rows = {.weights = weights}});
  EXPECT_NEAR(values[0], 0, 1e-15);
  EXPECT_EQ(values[0].weight, 2);
  values = mutual_learning(two.students, two.gradients);
  EXPECT_TRUE(std::isnan(values[0].value) && std::isnan(values[1].value));
  for (std::size_t c = 4; c < 12; ++c) EXPECT_NEAR(two.slopes[1][c], 0, 1e-15);
}

TEST(mutual_learning, takes_floats) {
  std::vector<float> a = {1, 2}, b = {0, 0}, ga(2), gb(2);
  std::vector<matrix_view<float const>> const students = {{a.data(), 1, 2}, {b.data(), 1, 2}};
  std::vector<matrix_view<float>> const gradients = {{ga.data(), 1, 2}, {gb.data(), 1, 2}};
  mutual_learning(students, gradients);
  EXPECT_NEAR(ga[1], 1 / (1 + std::exp(-1.0)) - 0.5, 1e-6);
  EXPECT_NEAR(gb[1], -ga[1], 1e-6);
}

TEST(mutual_learning, refuses_what_does_not_fit) {
  cohort two(2), three(3);
  EXPECT_EQ(refusal_of([&] { mutual_learning(two.students, three.gradients); }),
            "distil::mutual_learning: gradients is 3 matrices; it must be one a student, 2");
  EXPECT_EQ(refusal_of([&] { mutual_learning(two.students, two.gradients, {.weight = -1}); }),
            "distil::mutual_learning: weight is -1; it must be finite and >= 0");
  two.gradients[0] = matrix_view<double>(two.logits[1].data(), 3, 4);
  EXPECT_EQ(refusal_of([&] { mutual_learning(two.students, two.gradients); }),
            "distil::mutual_learning: gradient is overlapping the students[1]; it must be apart from the "
            "students[1]");
  EXPECT_EQ(two.slopes[1], numbers(12, 7.0));
}

}  // namespace
}  // namespace distil
