#include "distil/teachers/teacher_weights.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();
double const nan = std::nan("");

/// Rows of two classes with probabilities p and 1 - p.
std::vector<double> logits_of(std::vector<double> const& probabilities) {
  std::vector<double> result;
  for (double const p : probabilities) {
    result.push_back(std::log(p));
    result.push_back(std::log(1 - p));
  }
  return result;
}
double entropy(double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); }

TEST(entropy_weights, are_what_the_others_do_not_know) {
  std::vector<double> const a = logits_of({0.9, 0.5}), b = logits_of({0.6, 0.5}), c = logits_of({0.99, 0.8});
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(b, 2, 2)),
                            number_matrix(matrix_view(c, 2, 2))};
  std::vector<double> weights(6);
  entropy_weights(teachers, weights, weight_sum::as_in_the_paper);
  double const total = entropy(0.9) + entropy(0.6) + entropy(0.99);
  EXPECT_NEAR(weights[0], 1 - entropy(0.9) / total, 1e-14);
  EXPECT_NEAR(weights[2], 1 - entropy(0.6) / total, 1e-14);
  EXPECT_NEAR(weights[0] + weights[2] + weights[4], 2.0, 1e-14);
  EXPECT_NEAR(weights[1], weights[3], 1e-15);
  entropy_weights(teachers, weights);
  EXPECT_NEAR(weights[0], (1 - entropy(0.9) / total) / 2, 1e-14);
  EXPECT_EQ(weights_of(weights, 2, 2)[1], weights[5]);
}

TEST(entropy_weights, of_teachers_that_are_all_sure_or_one_alone) {
  std::vector<float> const sure{1000, 0}, other{0, 1000};
  std::array const both{number_matrix(matrix_view(sure, 1, 2)), number_matrix(matrix_view(other, 1, 2))};
  std::vector<double> weights(2), single(1);
  entropy_weights(both, weights);
  EXPECT_EQ(weights, (std::vector<double>{0.5, 0.5}));
  entropy_weights(std::span(both).first(1), single);
  EXPECT_EQ(single[0], 1.0);
}

TEST(entropy_weights, a_nan_takes_the_row_out) {
  std::vector<double> const a{nan, 0, 1, 2}, b{1, 2, 1, 2};
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(b, 2, 2))};
  std::vector<double> weights(4);
  entropy_weights(teachers, weights);
  EXPECT_EQ(weights, (std::vector<double>{0, 0.5, 0, 0.5}));
}

TEST(confidence_weights, are_shares_of_what_is_given_to_the_largest_class_or_the_label) {
  std::vector<double> const a = logits_of({0.9, 0.3}), b = logits_of({0.6, 0.5});
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(b, 2, 2))};
  std::vector<double> weights(4);
  confidence_weights(teachers, weights);
  EXPECT_NEAR(weights[0], 0.9 / 1.5, 1e-14);
  EXPECT_NEAR(weights[1], 0.7 / 1.2, 1e-14);
  confidence_weights(teachers, weights, {1, -100});
  EXPECT_NEAR(weights[0], 0.1 / 0.5, 1e-14);
  EXPECT_EQ(weights[1], 0.0);
  EXPECT_EQ(weights[3], 0.0);
  EXPECT_EQ(
      refusal_of([&] {
        confidence_weights(teachers, weights, {0, 2});
      }),
      "distil::confidence_weights: label is 2 in row 1; it must be within [0, 2) or the ignored label -100");
}

TEST(loss_weights, are_those_of_confidence_aware_distillation) {
  std::vector<double> losses{0.1, 2.0, /**/ 1.0, 2.0, /**/ 3.0, 2.0}, weights(6);
  loss_weights(losses, 3, weights);
  double const sum = std::exp(0.1) + std::exp(1.0) + std::exp(3.0);
  EXPECT_NEAR(weights[0], (1 - std::exp(0.1) / sum) / 2, 1e-15);
  EXPECT_NEAR(weights[4], (1 - std::exp(3.0) / sum) / 2, 1e-15);
  EXPECT_NEAR(weights[1], 1.0 / 3, 1e-15);
  EXPECT_NEAR(weights[0] + weights[2] + weights[4], 1.0, 1e-15);
  loss_weights(losses, 3, losses);
  EXPECT_EQ(losses, weights);
}

TEST(loss_weights, of_losses_that_are_no_numbers) {
  std::vector<double> const losses{infinity, nan, 1e5, /**/ 1.0, 1.0, 0.0}, one{nan, 3, 4};
  std::vector<double> weights(6), single(3);
  loss_weights(losses, 2, weights);
  EXPECT_EQ(weights, (std::vector<double>{0, 0, 0, 1, 0, 1}));
  loss_weights(one, 1, single);
  EXPECT_EQ(single, (std::vector<double>{0, 1, 1}));
  EXPECT_EQ(
      refusal_of([&] { loss_weights(losses, 4, weights); }),
      "distil::loss_weights: losses is of size 6; it must be one per teacher and row, as the weights, 6");
}

TEST(pick_teachers, draws_in_proportion_and_again_by_seed) {
  constexpr index rows = 30000;
  std::vector<double> weights(3 * rows);
  for (index row = 0; row < rows; ++row) {
    weights[static_cast<std::size_t>(row)] = 1;
    weights[static_cast<std::size_t>(2 * rows + row)] = 3;
  }
  std::vector<double> again = weights;
  random_stream random(5), same(5);
  pick_teachers(weights, 3, random);
  pick_teachers(again, 3, same);
  EXPECT_EQ(weights, again);
  double counts[3] = {};
  for (index k = 0; k < 3; ++k) {
    for (double const weight : weights_of(weights, k, rows)) counts[k] += weight;
  }
  EXPECT_EQ(counts[0] + counts[1] + counts[2], rows);
  EXPECT_EQ(counts[1], 0.0);
  EXPECT_NEAR(counts[2], 0.75 * rows, 5 * std::sqrt(rows * 0.75 * 0.25));
  std::vector<double> none{0, 0}, bad{1, -1};
  pick_teachers(none, 2, random);
  EXPECT_EQ(none, (std::vector<double>{0, 0}));
  EXPECT_EQ(refusal_of([&] { pick_teachers(bad, 2, random); }),
            "distil::pick_teachers: weight is -1; it must be finite and >= 0");
}

TEST(teacher_weights, refuse_teachers_that_do_not_fit) {
  std::vector<float> const a{1, 2, 3, 4};
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(a, 1, 4))};
  std::vector<double> weights(4), few(3);
  EXPECT_EQ(
      refusal_of([&] { entropy_weights(teachers, weights); }),
      "distil::entropy_weights: teacher is 1 x 4; it must be of 2 rows, as the first, and with a class");
  EXPECT_EQ(refusal_of([&] { entropy_weights(std::span(teachers).first(1), few); }),
            "distil::entropy_weights: weights is of size 3; it must be one per teacher and row, 2");
  EXPECT_EQ(refusal_of([&] { entropy_weights({}, weights); }),
            "distil::entropy_weights: number of teachers is 0; it must be at least 1");
}

}  // namespace
}  // namespace distil
