#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

#include "distil/core/matrix_view.hpp"
#include "distil/simd/vectors.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The nearest neighbours of samples, and weights of these.
template <class T>
struct neighbourhood {
  index count;  ///< of a sample
  index* ids;
  T* weights;

  [[nodiscard]] index id(index sample, index k) const { return ids[sample * count + k]; }
  [[nodiscard]] T& weight(index sample, index k) const { return weights[sample * count + k]; }

  /// The squared distances to the nearest others take the place of the weights of one sample. Of equal distances the first
  /// goes first; NaN comes last.
  void find(matrix_view<T const> squared, index sample) const {
    index* const nearest = ids + sample * count;
    T* const distances = weights + sample * count;
    index found = 0;
    for (index other = 0; other < squared.columns; ++other) {
      if (other == sample) continue;
      T const distance = squared(sample, other);
      auto const is_nearer = [&](index k) { return distance < distances[k] || std::isnan(distances[k]); };
      if (found == count && !is_nearer(found - 1)) continue;
      index place = found < count ? found++ : count - 1;
      for (; place > 0 && is_nearer(place - 1); --place) {
        distances[place] = distances[place - 1];
        nearest[place] = nearest[place - 1];
      }
      distances[place] = distance;
      nearest[place] = other;
    }
  }

  /// Weights by which the neighbours make the sample.
  void reconstruct(matrix_view<T const> x, index sample, double regularization) const {
    thread_local Eigen::MatrixXd products;
    thread_local Eigen::VectorXd solution;
    products.resize(count, count);
    T const* const origin = &x(sample, 0);
    for (index a = 0; a < count; ++a) {
      T const* const one = &x(id(sample, a), 0);
      for (index b = 0; b <= a; ++b) {
        T const* const two = &x(id(sample, b), 0);
        products(a, b) = static_cast<double>(simd::sum_of<T>(x.columns, [&](auto place) {
          simd::lanes<T> const middle = place.load(origin);
          return (middle - place.load(one)) * (middle - place.load(two));
        }));
      }
    }
    double const trace = products.trace();
    if (trace == 0.0) {  // duplicates, one as good as the other
      for (index k = 0; k < count; ++k) weight(sample, k) = T(1) / static_cast<T>(count);
      return;
    }
    products.diagonal().array() += regularization * trace;
    solution.setOnes(count);
    products.llt().solveInPlace(solution);
    double const sum = solution.sum();
    for (index k = 0; k < count; ++k) weight(sample, k) = static_cast<T>(solution(k) / sum);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
