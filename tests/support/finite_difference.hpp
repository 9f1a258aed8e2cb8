#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

/// Derivatives by central differences in long double, extrapolated to a step of zero (Ridders 1982).
///
/// A smooth function of order one comes out to about twelve digits. The only truth used is the function
/// itself.
namespace distil::reference {

using function_of_number = std::function<long double(long double)>;
using function_of_row = std::function<long double(std::vector<long double> const&)>;

/// df/dx at x. The first step should be a fair part of the distance over which f changes; steps halve from
/// there. Of all extrapolations the one is taken whose change from its neighbours and whose rounding are
/// least together.
inline long double derivative(function_of_number const& function, long double x, long double first_step) {
  constexpr std::size_t levels = 12;
  std::array<long double, levels> previous{};
  long double best = std::numeric_limits<long double>::quiet_NaN();
  long double least_error = std::numeric_limits<long double>::infinity();
  long double step = first_step;
  for (std::size_t level = 0; level < levels; ++level, step /= 2) {
    long double const above = function(x + step);
    long double const below = function(x - step);
    long double const rounding =
        std::numeric_limits<long double>::epsilon() * (std::abs(above) + std::abs(below)) / step;
    std::array<long double, levels> current{};
    current[0] = (above - below) / (2 * step);
    long double power = 4;
    for (std::size_t order = 1; order <= level; ++order, power *= 4) {
      current[order] = (power * current[order - 1] - previous[order - 1]) / (power - 1);
      long double const error = rounding + std::max(std::abs(current[order] - current[order - 1]),
                                                    std::abs(current[order] - previous[order - 1]));
      if (error <= least_error) {
        least_error = error;
        best = current[order];
      }
    }
    previous = current;
  }
  return best;
}

/// df/dx_i for every entry; 0 for entries of -inf, which no step can move.
inline std::vector<long double> gradient(function_of_row const& function, std::vector<long double> const& x,
                                         long double first_step = 0.25L) {
  std::vector<long double> result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<long double> moved = x;
    auto const along = [&](long double entry) {
      moved[i] = entry;
      return function(moved);
    };
    result.push_back(std::isinf(x[i]) ? 0 : derivative(along, x[i], first_step));
  }
  return result;
}

/// dL/dT at T of a loss as a function of its temperature.
inline long double temperature_derivative(function_of_number const& loss, long double temperature) {
  return derivative(loss, temperature, temperature / 8);
}

}  // namespace distil::reference
