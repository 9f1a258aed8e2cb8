#pragma once

#include <algorithm>

#include "distil/matrix/products.hpp"
#include "distil/simd/vectors.hpp"

/// Squared distances between the rows of a matrix, and the way back through them, by products of matrices.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Rows less their mean, which may be written over them. What is the same in every row becomes exactly 0.
template <class T>
void centre_rows(detail::any_policy policy, matrix_view<T const> x, matrix_view<T> centred) {
  struct of_means {};
  simd::for_chunks(policy, x.columns, 64, x.rows * x.columns, [&](index first, index last) {
    index const size = last - first;
    T* const origin = simd::scratch<T, of_means>(2 * size);
    T* const mean = origin + size;
    std::copy(&x(0, first), &x(0, first) + size, origin);
    std::fill(mean, mean + size, T(0));
    for (index row = 0; row < x.rows; ++row) {
      T const* const from = &x(row, first);
      simd::for_each_register<T>(size, [&](auto place) {
        place.store(place.load(mean) + (place.load(from) - place.load(origin)), mean);
      });
    }
    lanes<T> const share(T(1) / static_cast<T>(x.rows));
    for (index row = 0; row < x.rows; ++row) {
      T const* const from = &x(row, first);
      simd::for_each_register<T>(size, [&](auto place) {
        lanes<T> const moved = place.load(from) - place.load(origin);
        place.store(moved - place.load(mean) * share, &centred(row, first));
      });
    }
  });
}

/// |x - y|^2
template <class T>
[[nodiscard]] T squared_distance_of(T const* x, T const* y, index size) {
  return simd::sum_of<T>(size, [&](auto place) {
    lanes<T> const d = place.load(x) - place.load(y);
    return d * d;
  });
}

/// Pairs whose squared distance is at most this share of |x_i|^2 + |x_j|^2 are near: a product of matrices would cancel
/// six bits and more of it, so they are computed from their difference. Duplicates have the distance 0 exactly.
template <class T>
inline constexpr T near_share = T(1) / T(64);

/// |x_i - x_j|^2 of all rows, which have been centred, and |x_i|^2. The squares are in the range of T.
template <class T>
void squared_distances(detail::any_policy policy, matrix_view<T const> centred, matrix_view<T> result,
                       T* squares) {
  gram(policy, centred, result);
  index const rows = centred.rows;
  for (index row = 0; row < rows; ++row) squares[row] = result(row, row);
  simd::for_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last) {
    lanes<T> const share(near_share<T>), twice(T(-2));
    for (index i = first; i < last; ++i) {
      T* const row = &result(i, 0);
      lanes<T> const own(squares[i]);
      simd::for_each_register<T>(rows, [&](auto place) {
        lanes<T> const both = own + place.load(squares);
        lanes<T> const distance = fma(twice, place.load(row), both);
        simd::mask<T> const near = distance <= share * both;
        place.store(distance, row);
        if (!any(near)) return;
        index const end = std::min(place.at + lanes<T>::size, rows);
        for (index j = place.at; j < end; ++j) {
          if (row[j] <= near_share<T> * (squares[i] + squares[j]))
            row[j] = squared_distance_of(&centred(i, 0), &centred(j, 0), centred.columns);
        }
      });
    }
  });
}

/// gradient_i = sum_j w_ij (x_i - x_j): what a loss of distances gives back to the rows. With a loss of squared distances
/// q, w_ij = 2 (dL/dq_ij + dL/dq_ji). The weights are overwritten; those of the diagonal do not matter.
///
/// Near pairs are added one by one: their weights may be large, and would cancel in the product.
template <class T>
void pull_back_distances(detail::any_policy policy, matrix_view<T const> centred,
                         matrix_view<T const> squared, T const* squares, matrix_view<T> weights,
                         matrix_view<T> gradient) {
  index const rows = centred.rows, columns = centred.columns;
  simd::for_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last) {
    lanes<T> const share(near_share<T>);
    for (index i = first; i < last; ++i) {
      T* const weight = &weights(i, 0);
      T* const to = &gradient(i, 0);
      T const* const distance = &squared(i, 0);
      T const* const x = &centred(i, 0);
      lanes<T> const own(squares[i]);
      std::fill(to, to + columns, T(0));
      T const total = simd::sum_of<T>(rows, [&](auto place) {
        lanes<T> const w = place.load(weight);
        simd::mask<T> const near = place.load(distance) <= share * (own + place.load(squares));
        if (any(near)) {
          index const end = std::min(place.at + lanes<T>::size, rows);
          for (index j = place.at; j < end; ++j) {
            if (j == i || !(distance[j] <= near_share<T> * (squares[i] + squares[j]))) continue;
            T const* const y = &centred(j, 0);
            lanes<T> const of_pair(weight[j]);
            simd::for_each_register<T>(
                columns, [&](auto at) { at.store(fma(of_pair, at.load(x) - at.load(y), at.load(to)), to); });
          }
        }
        lanes<T> const far = select(near, lanes<T>(0), w);
        place.store(-far, weight);
        return far;
      });
      lanes<T> const degree(total);
      simd::for_each_register<T>(columns,
                                 [&](auto at) { at.store(fma(degree, at.load(x), at.load(to)), to); });
    }
  });
  multiply<T>(policy, weights, centred, gradient, into::add);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
