#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/core/matrix_view.hpp"

/// Sums of squares of any finite numbers, in double.
namespace distil::detail {

/// The power of two that brings the largest of some magnitudes near 1, so that none of their squares leaves the range of
/// double.
inline double scale_of_largest(double largest) {
  return largest == 0.0 ? 1.0 : std::ldexp(1.0, -std::clamp(std::ilogb(largest), -1000, 1000));
}

/// That of `count` numbers; NaN where one is infinite or NaN.
template <class At>
double scale_of_entries(index count, At const& at) {
  double largest = 0.0;
  for (index i = 0; i < count; ++i) {
    double const magnitude = std::abs(at(i));
    if (!std::isfinite(magnitude)) return std::numeric_limits<double>::quiet_NaN();
    largest = std::max(largest, magnitude);
  }
  return scale_of_largest(largest);
}

/// The length of numbers that are multiplied by a power of two, which is 1 unless squares left the range of double.
struct length_in_range {
  double scale = 1.0, length = 0.0;

  template <class At>
  static length_in_range of(index count, At const& at) {
    double const squares = sum(count, at, 1.0);
    if ((squares >= 1e-250 && squares < std::numeric_limits<double>::infinity()) || std::isnan(squares)) {
      return {1.0, std::sqrt(squares)};
    }
    double const scale = scale_of_entries(count, at);
    if (std::isnan(scale)) return {1.0, std::sqrt(squares)};
    return {scale, std::sqrt(sum(count, at, scale))};
  }

 private:
  template <class At>
  static double sum(index count, At const& at, double scale) {
    double squares = 0.0;
    for (index i = 0; i < count; ++i) squares += (scale * at(i)) * (scale * at(i));
    return squares;
  }
};

}  // namespace distil::detail
