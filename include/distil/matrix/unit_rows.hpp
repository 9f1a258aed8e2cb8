#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

/// Rows of length one, and the way back through them. A row of zeros stays one, and has no gradient.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// sum x y
template <class T>
[[nodiscard]] T dot_of(T const* x, T const* y, index size) {
  return simd::sum_of<T>(size, [&](auto place) { return place.load(x) * place.load(y); });
}

/// The length of a row, also where its squares leave the range of T; the largest number where it does so itself; NaN or
/// infinite where an element is.
template <class T>
[[nodiscard]] T length_of(T const* x, index size) {
  constexpr T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
  T const squares = dot_of(x, x, size);
  if ((squares >= least && squares < simd::infinity<T>) || std::isnan(squares)) return std::sqrt(squares);
  T largest = 0;
  for (index i = 0; i < size; ++i) largest = std::max(largest, std::abs(x[i]));
  if (largest == T(0) || largest == simd::infinity<T>) return largest;
  T sum = 0;
  for (index i = 0; i < size; ++i) {
    T const share = simd::backend::divide(x[i], largest);
    sum += share * share;
  }
  return std::min(largest * std::sqrt(sum), std::numeric_limits<T>::max());
}

/// to = x / |x|, which may be x itself; returns |x|.
template <class T>
T to_unit(T const* x, index size, T* to) {
  T const length = length_of(x, size);
  if (length == std::numeric_limits<T>::max()) {  // at least: the row is brought into range first
    simd::for_each_register<T>(size,
                               [&](auto place) { place.store(place.load(x) * lanes<T>(T(0x1p-32)), to); });
    to_unit(to, size, to);
    return length;
  }
  T const divisor = length == T(0) ? T(1) : length;
  simd::for_each_register<T>(size, [&](auto place) { place.store(place.load(x) / lanes<T>(divisor), to); });
  return length;
}

/// From g = dL/du of u = x / |x| to dL/dx = (g - u (u . g)) / |x|, in place.
template <class T>
void pull_back_unit(T const* unit, T length, index size, T* gradient) {
  if (length == T(0)) {
    std::fill(gradient, gradient + size, T(0));
    return;
  }
  lanes<T> const along(-dot_of(unit, gradient, size)), divisor(length);
  simd::for_each_register<T>(size, [&](auto place) {
    place.store(fma(along, place.load(unit), place.load(gradient)) / divisor, gradient);
  });
}

/// All rows of a matrix, with their lengths.
template <class T>
void to_unit_rows(detail::any_policy policy, matrix_view<T const> x, matrix_view<T> unit, T* length) {
  simd::for_chunks(policy, x.rows, simd::worth_a_chunk(x.columns), x.rows * x.columns,
                   [&](index first, index last) {
                     for (index row = first; row < last; ++row)
                       length[row] = to_unit(&x(row, 0), x.columns, &unit(row, 0));
                   });
}

template <class T>
void pull_back_unit_rows(detail::any_policy policy, matrix_view<T const> unit, T const* length,
                         matrix_view<T> gradient) {
  simd::for_chunks(policy, unit.rows, simd::worth_a_chunk(unit.columns), unit.rows * unit.columns,
                   [&](index first, index last) {
                     for (index row = first; row < last; ++row)
                       pull_back_unit(&unit(row, 0), length[row], unit.columns, &gradient(row, 0));
                   });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
