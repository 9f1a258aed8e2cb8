#include "distil/tuning/gaussian_process.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::tuning {
namespace {

using distil::testing::refusal_of;
using numbers = std::vector<double>;

double kernel(double x, double y, double length) {
  double const s = std::sqrt(5.0) * std::abs(x - y) / length;
  return (1 + s + s * s / 3) * std::exp(-s);
}

/// Three points, by the explicit inverse of three by three.
TEST(gaussian_process, is_what_the_inverse_says) {
  numbers const x{0.1, 0.4, 0.9}, values{1, 3, -2};
  gaussian_process const process({{0.1}, {0.4}, {0.9}}, values);
  double k[3][3];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      k[i][j] = kernel(x[static_cast<std::size_t>(i)], x[static_cast<std::size_t>(j)], process.length()) +
                (i == j ? process.noise() : 0);
    }
  }
  auto const minor = [&](int i, int j) {
    int const a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return k[a][c] * k[b][d] - k[a][d] * k[b][c];
  };
  double const determinant = k[0][0] * minor(0, 0) + k[0][1] * minor(0, 1) + k[0][2] * minor(0, 2);
  double const mean = 2.0 / 3, scale = std::sqrt((1 + 9 + 4) / 3.0 - mean * mean);
  for (double const at : {0.0, 0.4, 0.6}) {
    double m = 0, v = 1;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        double const inverse = minor(j, i) / determinant;
        double const ki = kernel(at, x[static_cast<std::size_t>(i)], process.length());
        double const kj = kernel(at, x[static_cast<std::size_t>(j)], process.length());
        m += ki * inverse * (values[static_cast<std::size_t>(j)] - mean) / scale;
        v -= ki * inverse * kj;
      }
    }
    prediction const found = process.at(numbers{at});
    EXPECT_NEAR(found.mean, mean + scale * m, 1e-9);
    EXPECT_NEAR(found.deviation, scale * std::sqrt(std::max(0.0, v)), 1e-6);
  }
  double quadratic = 0;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      quadratic += (values[static_cast<std::size_t>(i)] - mean) *
                   (values[static_cast<std::size_t>(j)] - mean) / (scale * scale) * minor(j, i) / determinant;
    }
  }
  EXPECT_NEAR(process.log_likelihood(),
              -0.5 * quadratic - 0.5 * std::log(determinant) - 1.5 * std::log(2 * M_PI), 1e-9);
}

TEST(gaussian_process, knows_little_far_away_and_takes_constants) {
  gaussian_process const process({{0.0}, {0.05}, {0.1}}, numbers{0, 1, 0});
  EXPECT_LT(process.at(numbers{0.05}).deviation, process.at(numbers{3.0}).deviation);
  EXPECT_NEAR(process.at(numbers{50.0}).mean, 1.0 / 3, 1e-6);
  EXPECT_EQ(gaussian_process({{0.2}}, numbers{7}).at(numbers{0.9}).mean, 7.0);
  EXPECT_EQ(refusal_of([] { gaussian_process({{0.2}}, numbers{std::nan("")}); }),
            "distil::tuning::gaussian_process: value is nan; it must be finite");
  EXPECT_EQ(refusal_of([] { gaussian_process({}, numbers{}); }),
            "distil::tuning::gaussian_process: number of points is 0; it must be at least 1");
}

TEST(expected_improvement, is_its_integral_and_its_limit) {
  for (auto const& [mean, deviation, best] :
       std::vector<std::array<double, 3>>{{1, 2, 0.5}, {-1, 0.3, 0}, {3, 1, -2}}) {
    double sum = 0;
    constexpr double step = 1e-3;
    for (double z = -10; z < 10; z += step) {
      double const value = mean + deviation * (z + step / 2);
      sum += std::max(0.0, best - value) * std::exp(-0.5 * (z + step / 2) * (z + step / 2)) /
             std::sqrt(2 * M_PI) * step;
    }
    EXPECT_NEAR(expected_improvement({mean, deviation}, best), sum, 1e-7);
  }
  EXPECT_EQ(expected_improvement({1, 0}, 3), 2.0);
  EXPECT_EQ(expected_improvement({3, 0}, 1), 0.0);
}

}  // namespace
}  // namespace distil::tuning
