#include "distil/teachers/mean_of_probabilities.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/mean_of_logits.hpp"

namespace distil {
namespace {

using testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> softmax(std::vector<double> const& z, double T) {
  double sum = 0;
  std::vector<double> p;
  for (double const x : z) sum += std::exp(x / T);
  for (double const x : z) p.push_back(std::exp(x / T) / sum);
  return p;
}

TEST(mean_of_probabilities, is_the_logarithm_of_the_weighted_mean) {
  std::vector<double> const a{1, 2, -1}, b{0, -3, 2}, c{4, 0, 0};
  std::array const teachers{number_matrix(matrix_view(a, 1, 3)), number_matrix(matrix_view(b, 1, 3)),
                            number_matrix(matrix_view(c, 1, 3))};
  std::vector<double> const weights{1, 0, 3};
  std::vector<double> mean(3);
  mean_of_probabilities(teachers, matrix_view(mean, 1, 3), {.temperature = 2, .weights = weights});
  auto const p = softmax(a, 2), r = softmax(c, 2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(mean[i], std::log((p[i] + 3 * r[i]) / 4), 1e-14);
}

TEST(mean_of_probabilities, weighs_rows_by_themselves) {
  std::vector<float> const a{1, 2, 3, 0}, b{0, 1, -1, 5};
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(b, 2, 2))};
  std::vector<double> const weights{1, 0, 0, 1};
  std::vector<float> mean(4);
  mean_of_probabilities(teachers, matrix_view(mean, 2, 2), {.weights = weights});
  EXPECT_NEAR(mean[0], std::log(softmax({1, 2}, 1)[0]), 1e-7);
  EXPECT_NEAR(mean[3], std::log(softmax({-1, 5}, 1)[1]), 1e-7);
}

/// What the contract says of the three means.
TEST(mean_of_probabilities, is_one_of_three_means_that_agree_where_teachers_do) {
  std::vector<double> const a{1, 2, -1}, b{0, -3, 2}, student{0.5, 0, 1};
  auto const z = matrix_view(student, 1, 3);
  constexpr double T = 3;
  auto const of = [&](std::vector<double> const& first, std::vector<double> const& second) {
    std::array const teachers{number_matrix(matrix_view(first, 1, 3)),
                              number_matrix(matrix_view(second, 1, 3))};
    std::vector<double> plain(3), softened(3);
    mean_of_probabilities(teachers, matrix_view(plain, 1, 3));
    mean_of_probabilities(teachers, matrix_view(softened, 1, 3), {.temperature = T});
    return std::array<double, 3>{
        forward_kl(z, mean_of_logits(matrix_view(first, 1, 3), matrix_view(second, 1, 3)),
                   {.temperature = T}),
        forward_kl(z, log_probabilities(matrix_view(plain, 1, 3), 1), {.temperature = T}),
        forward_kl(z, log_probabilities(matrix_view(softened, 1, 3)), {.temperature = T})};
  };
  auto const same = of(a, a), apart = of(a, b);
  EXPECT_NEAR(same[0], same[1], 1e-14);
  EXPECT_NEAR(same[0], same[2], 1e-14);
  EXPECT_GT(std::abs(apart[0] - apart[1]), 1e-3);
  EXPECT_GT(std::abs(apart[1] - apart[2]), 1e-3);
}

TEST(mean_of_probabilities, survives_extremes) {
  std::vector<double> const a{1e4,       0,        -infinity, /**/ std::nan(""), 0, 0, /**/ -infinity,
                              -infinity, -infinity},
      b{0, 1e4, -infinity, /**/ 0, 0, 0, /**/ 0, 0, -infinity};
  std::array const teachers{number_matrix(matrix_view(a, 3, 3)), number_matrix(matrix_view(b, 3, 3))};
  std::vector<double> mean(9);
  mean_of_probabilities(teachers, matrix_view(mean, 3, 3), {.temperature = 0.1});
  EXPECT_NEAR(mean[0], std::log(0.5), 1e-15);
  EXPECT_NEAR(mean[1], std::log(0.5), 1e-15);
  EXPECT_EQ(mean[2], -infinity);
  EXPECT_TRUE(std::isnan(mean[3]) && std::isnan(mean[5]));
  EXPECT_NEAR(mean[6], std::log(0.25), 1e-15);
  EXPECT_EQ(mean[8], -infinity);
}

TEST(mean_of_probabilities, refuses) {
  std::vector<float> const a{1, 2, 3, 4};
  std::vector<float> mean{7, 7, 7, 7};
  std::array const teachers{number_matrix(matrix_view(a, 2, 2)), number_matrix(matrix_view(a, 1, 4))};
  std::string const where = "distil::mean_of_probabilities: ";
  EXPECT_EQ(refusal_of([&] { mean_of_probabilities(teachers, matrix_view(mean, 2, 2)); }),
            where + "teacher is 1 x 4; it must be 2 x 2, the shape of the output");
  auto const one = std::span(teachers).first(1);
  EXPECT_EQ(refusal_of([&] { mean_of_probabilities(one, matrix_view(mean, 2, 2), {.temperature = 0}); }),
            where + "temperature is 0; it must be finite and > 0");
  std::vector<double> const three{1, 1, 1}, negative{-1};
  EXPECT_EQ(refusal_of([&] { mean_of_probabilities(one, matrix_view(mean, 2, 2), {.weights = three}); }),
            where + "number of weights is 3; it must be one per teacher, 1, or one per teacher and row, 2");
  EXPECT_EQ(refusal_of([&] { mean_of_probabilities(one, matrix_view(mean, 2, 2), {.weights = negative}); }),
            where + "weight is -1; it must be finite and >= 0");
  EXPECT_EQ(mean[0], 7.0F);
}

}  // namespace
}  // namespace distil
