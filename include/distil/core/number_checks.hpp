#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "distil/core/shapes.hpp"

/// Options are given as double, and a loss converts them to the type it computes in. What holds for an option has to hold
/// for what it is then: one above 0 has not become 0, and none has become infinite.
namespace distil::detail {

/// The type a loss computes in, to code that is not compiled for each.
class computing_type {
 public:
  template <class T>
  [[nodiscard]] static constexpr computing_type of() noexcept {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    return computing_type(std::is_same_v<T, float>);
  }

  [[nodiscard]] constexpr double converted(double value) const noexcept {
    return is_float_ ? static_cast<double>(static_cast<float>(value)) : value;
  }

  /// Whether a number stays one that it can be: 0, a normal number, infinity or NaN, whichever it was.
  [[nodiscard]] bool keeps(double value) const noexcept {
    return value == 0.0 || !std::isfinite(value) || is_normal(converted(value));
  }
  [[nodiscard]] bool overflows(double value) const noexcept {
    return std::isfinite(value) && std::isinf(converted(value));
  }

  /// "inf in float"
  [[nodiscard]] std::string text(double value) const {
    double const used = converted(value);
    bool const subnormal = used != 0.0 && std::isfinite(used) && !is_normal(used);
    return said((subnormal ? "subnormal" : text_of(used)), (is_float_ ? " in float" : " in double"));
  }

 private:
  constexpr explicit computing_type(bool is_float) noexcept : is_float_(is_float) {}

  [[nodiscard]] bool is_normal(double value) const noexcept {
    double const least = is_float_ ? static_cast<double>(std::numeric_limits<float>::min())
                                   : std::numeric_limits<double>::min();
    return std::isfinite(value) && std::abs(value) >= least;
  }

  bool is_float_;
};

/// The largest number of T that is not above `bound`: x <= bound says the same of both for every x of T.
template <class T>
[[nodiscard]] T rounded_down(double bound) noexcept {
  T const near = static_cast<T>(bound);
  return static_cast<double>(near) > bound ? std::nextafter(near, -std::numeric_limits<T>::infinity()) : near;
}

inline constexpr auto is_positive = [](double value) { return value > 0.0 && std::isfinite(value); };
inline constexpr char const* must_be_positive = "finite and > 0";

/// Refuses a number that is not `allowed`, or not as `type` has it.
inline void require_converted(char const* where, std::string_view argument, double value, computing_type type,
                              bool kept, allowed_number allowed, char const* must_be) {
  require(
      kept && allowed(value) && allowed(type.converted(value)), where, argument,
      [&] { return allowed(value) ? text_of(value) + ", which is " + type.text(value) : text_of(value); },
      must_be);
}

/// A number that must not vanish, unless it is 0: a bound, a width, what is added to a divisor.
inline void require_number(char const* where, std::string_view argument, double value, computing_type type,
                           allowed_number allowed, char const* must_be) {
  require_converted(where, argument, value, type, type.keeps(value), allowed, must_be);
}

/// A number in whose place 0 may stand when it vanishes: a weight, a margin.
inline void require_factor(char const* where, std::string_view argument, double value, computing_type type,
                           allowed_number allowed = is_weight, char const* must_be = must_be_weight) {
  require_converted(where, argument, value, type, !type.overflows(value), allowed, must_be);
}

/// What a loss makes of an option must be a finite number of the type, and may vanish.
/// "margin is 1e+30, and margin^2 is inf in float"
inline void require_bounded(char const* where, std::string_view argument, double value, computing_type type,
                            char const* what, double made, char const* must_be) {
  require(
      std::isfinite(type.converted(made)), where, argument,
      [&] { return said(value, ", and ", what, " is ", type.text(made)); }, must_be);
}

/// The same of what must not vanish.
inline void require_made(char const* where, std::string_view argument, double value, computing_type type,
                         char const* what, double made, char const* must_be) {
  require(
      std::isfinite(made) && made != 0.0 && type.keeps(made), where, argument,
      [&] { return said(value, ", and ", what, " is ", type.text(made)); }, must_be);
}

/// A number whose inverse is used.
inline void require_inverse(char const* where, std::string_view name, double value, computing_type type) {
  require(is_positive(value), where, name, value, must_be_positive);
  require_made(where, name, value, type, "its inverse", 1.0 / value, must_be_positive);
}

/// A number that a loss is divided by.
inline void require_divisor(char const* where, std::string_view name, double value, computing_type type) {
  require(is_positive(value), where, name, value, must_be_positive);
  require_bounded(where, name, value, type, "its inverse", 1.0 / value, must_be_positive);
}

}  // namespace distil::detail
