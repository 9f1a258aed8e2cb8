#pragma once

#include <gtest/gtest.h>

#include <string>

#include "distil/core/loss_value.hpp"
#include "finite_difference.hpp"

namespace distil::testing {

/// A derivative by a temperature, or by a scale, against differences of the loss as a function of it, within what `bound`
/// states relative to the size that it states the value's error by: see `error_bound`.
inline void expect_slope(double found, distil::reference::function_of_number const& loss, double at,
                         error_bound const& bound, double epsilon, double value_size,
                         std::string const& where) {
  auto const exact = static_cast<double>(distil::reference::temperature_derivative(loss, at));
  double const of_differences = 1e-12;
  EXPECT_NEAR(found, exact, (bound.temperature_gradient * epsilon + of_differences) * value_size / at)
      << where;
}

}  // namespace distil::testing
