#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "distil/simd/lanes.hpp"

namespace distil::testing {

/// Distance in units of the last place of the exact result, rounded to T.
template <class T>
double ulps(T found, long double exact) {
  T const nearest = std::abs(static_cast<T>(exact));
  long double const ulp = std::nextafter(nearest, std::numeric_limits<T>::infinity()) - nearest;
  return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / ulp);
}

/// The largest such distance of a function of lanes over so many registers of points `point(t)`, t in [0, 1].
/// NaN counts as infinitely far.
template <class T, class Point, class Vector, class Exact>
double worst_ulps(int registers, Point const& point, Vector const& vector, Exact const& exact) {
  constexpr index size = simd::lanes<T>::size;
  T x[static_cast<std::size_t>(size)], found[static_cast<std::size_t>(size)];
  double worst = 0;
  for (index i = 0; i < registers; ++i) {
    for (index lane = 0; lane < size; ++lane) {
      x[lane] = static_cast<T>(
          point(static_cast<double>(i * size + lane) / static_cast<double>(registers * size - 1)));
    }
    vector(simd::lanes<T>::load(x)).store(found);
    for (index lane = 0; lane < size; ++lane) {
      double const off = ulps(found[lane], exact(static_cast<long double>(x[lane])));
      worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    }
  }
  return worst;
}

}  // namespace distil::testing
