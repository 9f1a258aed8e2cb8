#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "distil/core/contract.hpp"
#include "distil/core/length_in_range.hpp"

/// Limits on a gradient, which low temperatures and large weights make large.
namespace distil {

/// Scales a gradient to the Euclidean norm `maximum` when its norm is above that, and returns the norm
/// before.
///
/// The norm is summed in double, in a fixed order, and no square overflows or vanishes on the way. A gradient
/// that holds a NaN or an infinity is left as it is, and the NaN or infinity is returned: test the result
/// with std::isfinite and skip the step. An empty gradient has norm 0. `maximum` may be infinite, to measure
/// only. Throws std::invalid_argument unless maximum > 0. Source: Pascanu et al., 2013, algorithm 1.
inline double clip_by_norm(std::span<float> gradient, double maximum);
inline double clip_by_norm(std::span<double> gradient, double maximum);

/// The same for a gradient in several pieces, one norm over all of them: one scale keeps its direction.
inline double clip_by_norm(std::span<std::span<float> const> gradients, double maximum);
inline double clip_by_norm(std::span<std::span<double> const> gradients, double maximum);

/// Brings every element into [-maximum, maximum] and returns how many were outside. Infinities become the
/// bound of their sign; NaN stays NaN and is not counted. Throws std::invalid_argument unless maximum > 0.
inline std::size_t clip_by_value(std::span<float> gradient, double maximum);
inline std::size_t clip_by_value(std::span<double> gradient, double maximum);

namespace detail::clipping {

inline void require_positive(char const* where, double maximum) {
  require(maximum > 0, where, "maximum", maximum, "a number above 0");
}

/// Sum of (g * scale)^2. Several partial sums: more exact than one, and free to run side by side.
template <class T>
double sum_of_squares(std::span<T const> gradient, double scale) {
  std::array<double, 8> partial{};
  std::size_t const whole = gradient.size() - gradient.size() % partial.size();
  for (std::size_t i = 0; i < whole; i += partial.size()) {
    for (std::size_t lane = 0; lane < partial.size(); ++lane) {
      double const g = static_cast<double>(gradient[i + lane]) * scale;
      partial[lane] += g * g;
    }
  }
  for (std::size_t i = whole; i < gradient.size(); ++i) {
    double const g = static_cast<double>(gradient[i]) * scale;
    partial[i - whole] += g * g;
  }
  double sum = 0;
  for (double const part : partial) sum += part;
  return sum;
}

template <class T>
double sum_of_squares(std::span<std::span<T> const> gradients, double scale) {
  double sum = 0;
  for (std::span<T const> const gradient : gradients) sum += sum_of_squares(gradient, scale);
  return sum;
}

/// The largest magnitude, or NaN when there is one.
template <class T>
double largest_of(std::span<std::span<T> const> gradients) {
  double largest = 0;
  for (std::span<T> const gradient : gradients) {
    for (T const element : gradient) {
      double const magnitude = std::abs(static_cast<double>(element));
      if (magnitude > largest || std::isnan(magnitude)) largest = magnitude;
    }
  }
  return largest;
}

/// A norm as root / scale with a power of two for scale: the root is representable where the norm is not.
struct scaled_norm {
  double root;
  double scale;
};

template <class T>
scaled_norm norm_of(std::span<std::span<T> const> gradients) {
  // Above this bound, squares that vanished are too small to matter.
  constexpr double trusted = 1e-250;
  double const plain = sum_of_squares(gradients, 1.0);
  if (plain >= trusted && std::isfinite(plain)) return {std::sqrt(plain), 1.0};

  double const largest = largest_of(gradients);
  if (largest == 0 || !std::isfinite(largest)) return {largest, 1.0};
  double const scale = scale_of_largest(largest);
  return {std::sqrt(sum_of_squares(gradients, scale)), scale};
}

template <class T>
double by_norm(std::span<std::span<T> const> gradients, double maximum) {
  require_positive("clip_by_norm", maximum);
  scaled_norm const norm = norm_of(gradients);
  double const before = norm.root / norm.scale;
  if (std::isfinite(norm.root) && before > maximum) {
    double const factor = maximum / norm.root * norm.scale;
    for (std::span<T> const gradient : gradients) {
      for (T& element : gradient) element = static_cast<T>(static_cast<double>(element) * factor);
    }
  }
  return before;
}

template <class T>
std::size_t by_value(std::span<T> gradient, double maximum) {
  require_positive("clip_by_value", maximum);
  std::size_t outside = 0;
  for (T& element : gradient) {
    double const before = static_cast<double>(element);
    double const after = std::clamp(before, -maximum, maximum);
    if (after != before && !std::isnan(before)) {
      element = static_cast<T>(after);
      ++outside;
    }
  }
  return outside;
}

}  // namespace detail::clipping

inline double clip_by_norm(std::span<float> gradient, double maximum) {
  return detail::clipping::by_norm<float>(std::span<std::span<float> const>(&gradient, 1), maximum);
}
inline double clip_by_norm(std::span<double> gradient, double maximum) {
  return detail::clipping::by_norm<double>(std::span<std::span<double> const>(&gradient, 1), maximum);
}
inline double clip_by_norm(std::span<std::span<float> const> gradients, double maximum) {
  return detail::clipping::by_norm<float>(gradients, maximum);
}
inline double clip_by_norm(std::span<std::span<double> const> gradients, double maximum) {
  return detail::clipping::by_norm<double>(gradients, maximum);
}
inline std::size_t clip_by_value(std::span<float> gradient, double maximum) {
  return detail::clipping::by_value<float>(gradient, maximum);
}
inline std::size_t clip_by_value(std::span<double> gradient, double maximum) {
  return detail::clipping::by_value<double>(gradient, maximum);
}

}  // namespace distil
