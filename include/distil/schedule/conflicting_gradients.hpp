#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "distil/core/contract.hpp"
#include "distil/core/random_stream.hpp"

/// Gradients of several losses that pull apart: hard and soft, or several tasks.
namespace distil {

/// What becomes of the gradients once they are projected.
enum class projected_sum {
  sum,  ///< the paper; LibMTL
  mean  ///< Pytorch-PCGrad
};

struct projection_options {
  /// Default: the sum.
  projected_sum how = projected_sum::sum;

  /// Each gradient meets the others in an order of its own, drawn from this stream, which moves on; nullptr: by number. Of two
  /// gradients there is one order. Default: by number.
  random_stream* random = nullptr;
};

/// What the gradients were, before anything was projected.
struct gradient_conflicts {
  std::size_t pairs = 0;       ///< with a negative product
  double smallest_cosine = 1;  ///< of any two that are not 0; 1 where there are none
};

namespace detail::projecting {

template <class T>
double product(std::span<T const> a, std::span<T const> b) {
  double sums[4] = {};
  std::size_t const whole = a.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (std::size_t i = whole; i < a.size(); ++i)
    sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

template <class T>
gradient_conflicts project(std::span<std::span<T const> const> gradients, std::span<T> result,
                           projection_options const& options) {
  constexpr char const* where = "project_conflicts";
  std::size_t const count = gradients.size();
  require(count >= 1, where, "number of gradients", count, "at least 1");
  for (std::span<T const> const each : gradients) {
    require(
        each.size() == result.size(), where, "gradient", [&] { return said("of size ", each.size()); },
        [&] { return said("of the result's size, ", result.size()); });
  }
  // All products of the gradients as they are: the projected ones are combinations of them, g_i + sum_j c_ij g_j.
  std::vector<double> products(count * count), shares(count * count, 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      products[i * count + j] = products[j * count + i] = product(gradients[i], gradients[j]);
    }
  }
  gradient_conflicts found;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double const lengths = std::sqrt(products[i * count + i]) * std::sqrt(products[j * count + j]);
      if (products[i * count + j] < 0.0) ++found.pairs;
      if (lengths > 0.0)
        found.smallest_cosine = std::min(found.smallest_cosine, products[i * count + j] / lengths);
    }
  }
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    double* const share = &shares[i * count];
    share[i] = 1.0;
    for (std::size_t k = 0; k < count; ++k) order[k] = k;
    for (std::size_t k = 0; options.random != nullptr && k < count; ++k) {
      auto const rest = static_cast<std::int64_t>(count - k);
      std::swap(order[k], order[k + static_cast<std::size_t>(options.random->below(rest))]);
    }
    for (std::size_t const j : order) {
      double const squared = products[j * count + j];
      if (j == i || !(squared > 0.0)) continue;
      double along = 0.0;
      for (std::size_t k = 0; k < count; ++k)
        along += share[k] == 0.0 ? 0.0 : share[k] * products[k * count + j];
      if (along < 0.0) share[j] -= along / squared;
    }
  }
  std::vector<double> sums(count, 0.0);
  double const divisor = options.how == projected_sum::mean ? static_cast<double>(count) : 1.0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) sums[j] += shares[i * count + j] / divisor;
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    double total = 0.0;
    for (std::size_t j = 0; j < count; ++j) total += sums[j] * static_cast<double>(gradients[j][i]);
    result[i] = static_cast<T>(total);
  }
  return found;
}

}  // namespace detail::projecting

/// Sums gradients of which each has first given up what works against the others: where the product of g_i and g_j is
/// negative, g_i loses its part along g_j. Each g_i meets the others as they were, one after the other. @alias PCGrad, gradient
/// surgery
///
///     project_conflicts<float>({{hard, soft}}, gradient);
///
/// @param  gradients of one size each, float or double; one that is 0 changes nothing. A NaN or infinity makes the result NaN
///                   or infinite where it is, and meets no other gradient
/// @param  result    of the same size, overwritten; may be one of the gradients
/// @return how many pairs were in conflict, and the smallest cosine
/// @throws std::invalid_argument when there is none or sizes differ; nothing is written then
/// @cost   a pass for the products of each pair, in double, and one for the sum
/// @source Yu et al. 2020, arXiv:2001.06782, algorithm 1, which draws the order of the others at random and sums
template <class T>
gradient_conflicts project_conflicts(std::span<std::span<T const> const> gradients, std::span<T> result,
                                     projection_options const& options = {}) {
  return detail::projecting::project<T>(gradients, result, options);
}

}  // namespace distil
