#pragma once

#include <cmath>

#include "distil/schedule/arithmetic.hpp"

namespace distil::schedule {

/// Which power of two a value becomes.
enum class power_rounding {
  nearest,  ///< by its logarithm: 2.8 becomes 2, and 2.9 becomes 4. A tie goes up
  down,
  up
};

/// Values become powers of two, as in `cosine(8, 1) | power_of_two()`: what is divided by such a temperature, on hardware
/// without floating point or in fixed point, is a shift, and nothing is rounded. What is not above 0, or not finite, stays.
///
/// Bounds that a schedule shall keep are powers of two themselves, or come after: `| power_of_two() | clamp(1, 5)`.
class power_of_two : detail::adjustment {
 public:
  explicit power_of_two(power_rounding rounding = power_rounding::nearest) : rounding_(rounding) {}

 private:
  template <schedule_like, class>
  friend class adjusted;

  double operator()(double value) const {
    if (!(value > 0.0) || std::isinf(value)) return value;
    int exponent = 0;
    double const fraction = std::frexp(value, &exponent);  // within [1/2, 1): value lies in [2^(e - 1), 2^e)
    constexpr double root_of_half = 0.70710678118654752440;
    bool const goes_up = rounding_ == power_rounding::up        ? fraction > 0.5
                         : rounding_ == power_rounding::nearest ? fraction >= root_of_half
                                                                : false;
    double const rounded = std::ldexp(1.0, goes_up ? exponent : exponent - 1);
    return std::isinf(rounded) ? std::ldexp(1.0, exponent - 1) : rounded;
  }

  power_rounding rounding_;
};

}  // namespace distil::schedule
