#include "distil/schedule/sample_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
using numbers = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
double const nan = std::nan("");

TEST(certainty_weights, are_what_is_missing_of_the_largest_entropy) {
  numbers const t{std::log(6.0),
                  std::log(3.0),
                  0,
                  /**/ 0,
                  0,
                  0,
                  /**/ 1000,
                  0,
                  0,
                  /**/ nan,
                  0,
                  0,
                  /**/ 2,
                  -infinity,
                  -infinity,
                  /**/ -infinity,
                  -infinity,
                  -infinity,
                  /**/ 0,
                  1,
                  -infinity};
  numbers weights(7);
  certainty_weights(matrix_view(t, 7, 3), weights);
  double const entropy = -0.6 * std::log(0.6) - 0.3 * std::log(0.3) - 0.1 * std::log(0.1);
  EXPECT_NEAR(weights[0], 1 - entropy / std::log(3.0), 1e-14);
  EXPECT_NEAR(weights[1], 0.0, 1e-15);
  EXPECT_EQ(weights[2], 1.0);
  EXPECT_EQ(weights[3], 0.0);
  EXPECT_EQ(weights[4], 1.0);
  EXPECT_EQ(weights[5], 0.0);
  double const p = 1 / (1 + std::exp(0.5)), q = 1 - p;
  certainty_weights(matrix_view(t, 7, 3), weights, 2.0);
  EXPECT_NEAR(weights[6], 1 + (p * std::log(p) + q * std::log(q)) / std::log(2.0), 1e-14);
}

TEST(confidence_of_samples, is_the_largest_probability_or_that_of_the_label) {
  std::vector<float> const t{std::log(6.0F), std::log(3.0F), 0, 0, 0, 0};
  numbers weights(2);
  confidence_of_samples(matrix_view(t, 2, 3), weights);
  EXPECT_NEAR(weights[0], 0.6, 1e-7);
  EXPECT_NEAR(weights[1], 1.0 / 3, 1e-7);
  confidence_of_samples(matrix_view(t, 2, 3), weights, 1, {2, -100});
  EXPECT_NEAR(weights[0], 0.1, 1e-7);
  EXPECT_EQ(weights[1], 0.0);
  EXPECT_EQ(refusal_of([&] {
              confidence_of_samples(matrix_view(t, 2, 3), weights, 1, {0, 3});
            }),
            "distil::schedule::confidence_of_samples: label is 3 in row 1; it must be within [0, 3) or the "
            "ignored label "
            "-100");
}

TEST(bias_variance_weights, are_those_of_the_paper) {
  numbers const student{1, 2, /**/ 0, 0, /**/ 1000, 0, /**/ 1, 0, /**/ nan, 0, /**/ 1, 2},
      teacher{3, 0, /**/ 1, 0, /**/ 1, 0, /**/ 1000, 0, /**/ 1, 0, /**/ nan, 0};
  numbers weights(6);
  bias_variance_weights(matrix_view(student, 6, 2), matrix_view(teacher, 6, 2), {0, 1, 0, 0, 0, 0}, weights);
  auto const loss = [](double own, double other) { return std::log1p(std::exp(other - own)); };
  EXPECT_NEAR(weights[0], 1 - std::exp(-loss(1, 2) / loss(3, 0)), 1e-14);
  EXPECT_NEAR(weights[1], 1 - std::exp(-loss(0, 0) / loss(0, 1)), 1e-14);
  EXPECT_EQ(weights[2], 0.0);
  EXPECT_EQ(weights[3], 1.0);
  EXPECT_EQ(weights[4], 0.0);
  EXPECT_EQ(weights[5], 0.0);
  bias_variance_weights(matrix_view(student, 6, 2), matrix_view(teacher, 6, 2), {-1, 1, 0, 0, 0, 0}, weights,
                        -1);
  EXPECT_EQ(weights[0], 0.0);
}

TEST(sample_weights, refuse) {
  numbers const t{1, 2, 3, 4};
  numbers weights{7, 7, 7};
  std::string const where = "distil::schedule::certainty_weights: ";
  EXPECT_EQ(refusal_of([&] { certainty_weights(matrix_view(t, 2, 2), weights); }),
            where + "teacher is 2 x 2; it must be of a row for each weight, 3, and with a class");
  EXPECT_EQ(refusal_of([&] { certainty_weights(matrix_view(t, 2, 2), std::span(weights).first(2), 0); }),
            where + "temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] {
              bias_variance_weights(matrix_view(t, 2, 2), matrix_view(t, 2, 2), {0},
                                    std::span(weights).first(2));
            }),
            "distil::schedule::bias_variance_weights: labels is of size 1; it must be one per row, 2");
  EXPECT_EQ(weights[0], 7.0);
}

}  // namespace
}  // namespace distil::schedule
