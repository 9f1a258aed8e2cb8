#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "distil/core/contract.hpp"

namespace distil::tuning {

/// A guess with its uncertainty.
struct prediction {
  double mean = 0, deviation = 0;
};

/// Regression of a few noisy numbers by a Gaussian process with a Matern 5/2 kernel of one length for all coordinates, which
/// should lie within some [0, 1]. Values are standardised inside. Length and noise are those of a small fixed table with the
/// largest likelihood, so that the same data give the same process; of few points the table is as good as an optimiser.
///
///     k(r) = (1 + s + s^2 / 3) e^-s,  s = sqrt(5) r / length;   mean = k' (K + noise)^-1 y, variance = 1 - k' (K + noise)^-1 k
///
/// Cost: n^3 / 6 multiplications for each of 40 entries of the table. Source: Rasmussen and Williams 2006, chapters 2 and 5.
class gaussian_process {
 public:
  /// Throws std::invalid_argument unless there is a point, all of one size, and a finite value for each.
  gaussian_process(std::vector<std::vector<double>> points, std::span<double const> values)
      : points_(std::move(points)), y_(values.begin(), values.end()) {
    constexpr char const* where = "tuning::gaussian_process";
    detail::require(!points_.empty(), where, "number of points", points_.size(), "at least 1");
    detail::require(values.size() == points_.size(), where, "number of values", values.size(),
                    [&] { return detail::said(points_.size(), ", one for each point"); });
    for (auto const& each : points_) {
      detail::require(each.size() == points_.front().size(), where, "size of a point", each.size(),
                      [&] { return detail::said(points_.front().size(), ", as the first"); });
    }
    for (double const value : values) detail::require(std::isfinite(value), where, "value", value, "finite");
    auto const count = static_cast<double>(y_.size());
    double squares = 0.0;
    for (double const value : values) mean_ += value / count;
    for (double const value : values) squares += (value - mean_) * (value - mean_) / count;
    if (squares > 0.0) scale_ = std::sqrt(squares);
    for (double& each : y_) each = (each - mean_) / scale_;
    for (double const length : {0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0, 4.0}) {
      for (double const noise : {1e-6, 1e-4, 1e-2, 1e-1}) fit(length, noise);
    }
  }

  [[nodiscard]] double length() const { return length_; }
  [[nodiscard]] double noise() const { return noise_; }
  /// log p(values), of the standardised values under the chosen length and noise.
  [[nodiscard]] double log_likelihood() const { return likelihood_; }

  [[nodiscard]] prediction at(std::span<double const> point) const {
    std::vector<double> k(points_.size());
    double mean = 0.0, explained = 0.0;
    for (std::size_t i = 0; i < k.size(); ++i) {
      k[i] = kernel(squared_distance(points_[i], point), length_);
      mean += k[i] * weights_[i];
    }
    solve_lower(factor_, k);
    for (double const each : k) explained += each * each;
    return {mean_ + scale_ * mean, scale_ * std::sqrt(std::max(0.0, 1.0 - explained))};
  }

 private:
  static double squared_distance(std::span<double const> a, std::span<double const> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
  }
  static double kernel(double squared, double length) {
    double const s = std::sqrt(5.0 * squared) / length;
    return (1.0 + s + s * s / 3.0) * std::exp(-s);
  }

  /// L^-1 x in place; L a lower triangle, row by row.
  static void solve_lower(std::vector<double> const& lower, std::vector<double>& x) {
    std::size_t const size = x.size();
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < i; ++j) x[i] -= lower[i * size + j] * x[j];
      x[i] /= lower[i * size + i];
    }
  }

  void fit(double length, double noise) {
    std::size_t const size = y_.size();
    std::vector<double> lower(size * size);  // of Cholesky
    double log_determinant = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double rest = kernel(squared_distance(points_[i], points_[j]), length) + (i == j ? noise : 0.0);
        for (std::size_t k = 0; k < j; ++k) rest -= lower[i * size + k] * lower[j * size + k];
        if (i == j && !(rest > 0.0)) return;
        lower[i * size + j] = i == j ? std::sqrt(rest) : rest / lower[j * size + j];
      }
      log_determinant += std::log(lower[i * size + i]);
    }
    std::vector<double> weights = y_;
    solve_lower(lower, weights);
    double fit_of_values = 0.0;
    for (double const each : weights) fit_of_values += each * each;
    constexpr double log_two_pi = 1.83787706640934548356;
    double const likelihood =
        -0.5 * (fit_of_values + static_cast<double>(size) * log_two_pi) - log_determinant;
    if (!(likelihood > likelihood_)) return;
    for (std::size_t i = size; i-- > 0;) {  // and through its transpose
      for (std::size_t k = i + 1; k < size; ++k) weights[i] -= lower[k * size + i] * weights[k];
      weights[i] /= lower[i * size + i];
    }
    likelihood_ = likelihood;
    length_ = length;
    noise_ = noise;
    factor_ = std::move(lower);
    weights_ = std::move(weights);
  }

  std::vector<std::vector<double>> points_;
  std::vector<double> y_, weights_, factor_;
  double mean_ = 0.0, scale_ = 1.0, length_ = 1.0, noise_ = 0.0;
  double likelihood_ = -std::numeric_limits<double>::infinity();
};

/// How much better than the best so far a minimum is expected to be: (best - m) Phi(z) + s phi(z), z = (best - m) / s; max(0, best -
/// m) where the deviation is 0 (scikit-optimize has 0 there). Source: Jones, Schonlau and Welch 1998.
[[nodiscard]] inline double expected_improvement(prediction const& guess, double best) {
  double const gain = best - guess.mean;
  if (!(guess.deviation > 0.0)) return std::max(0.0, gain);
  double const z = gain / guess.deviation;
  constexpr double inverse_root_of_two_pi = 0.39894228040143267794, root_of_half = 0.70710678118654752440;
  double const density = inverse_root_of_two_pi * std::exp(-0.5 * z * z);
  return std::max(0.0, gain * 0.5 * std::erfc(-z * root_of_half) + guess.deviation * density);
}

}  // namespace distil::tuning
