#pragma once

#include <type_traits>

#include "distil/simd/logarithm.hpp"

/// Distributions of two outcomes, from the logits of one.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// log(1 + x) of a normal 1 + x, with the digits of a small x; `inverse` is about 1 / (1 + x).
template <class T>
DISTIL_INLINE lanes<T> log1p_normal(lanes<T> x, lanes<T> inverse) {
  lanes<T> const sum = lanes<T>(1) + x, lost = x - (sum - lanes<T>(1));
  return fma(lost, inverse, log_normal(sum));
}

/// sigmoid(x) and sigmoid(-x), each with all its digits, and log(1 + e^-|x|).
template <class T>
struct both_outcomes {
  lanes<T> fall;  ///< e^-|x|
  lanes<T> likely, unlikely;

  [[nodiscard]] DISTIL_INLINE lanes<T> softplus() const { return log1p_normal(fall, likely); }

  explicit DISTIL_INLINE both_outcomes(lanes<T> x)
      : fall(exp_nonpositive(-abs(x))), likely(lanes<T>(1) / (lanes<T>(1) + fall)), unlikely(fall * likely) {}
};

/// x - log(1 + x) for sqrt(1/2) <= 1 + x <= sqrt(2), with the digits of a small one.
template <class T>
DISTIL_INLINE lanes<T> less_log1p(lanes<T> x) {
  if constexpr (std::is_same_v<T, float>) {
    return -polynomial(x, simd::logarithm_series) * x * x;
  } else {  // the square's half, less what fdlibm's logarithm adds to it
    using constants = simd::logarithm_constants<T>;
    lanes<T> const half_square = lanes<T>(0.5) * x * x;
    lanes<T> const s = x / (lanes<T>(2) + x), z = s * s, w = z * z;
    lanes<T> const series = z * polynomial(w, constants::even) + w * polynomial(w, constants::odd);
    return fma(-s, half_square + series, half_square);
  }
}

/// KL(Bern(sigmoid(v)) || Bern(sigmoid(u))), and its derivatives by u and v.
template <class T>
struct bernoulli_divergence {
  lanes<T> value, by_student, by_teacher;

  /// With p = sigmoid(v), q = sigmoid(u), d = u - v, of which the caller may know more digits. Outcomes are named so
  /// that p <= 1/2. With x = p expm1(d), far from each other
  ///
  ///   KL = -p d + log((1 - p) / (1 - q)), and for u > 0 = (1 - p) u + p v + log((1 - p) / q)
  ///
  /// and near each other, where nothing of that would be left,
  ///
  ///   KL = p (e^d - 1 - d) - (x - log(1 + x))        q - p = x (1 - q)
  ///
  /// 0 times infinity is 0.
  DISTIL_INLINE bernoulli_divergence(lanes<T> u, lanes<T> v, lanes<T> d) {
    lanes<T> const zero(0);
    auto const turned = v > zero;
    u = select(turned, -u, u);
    d = select(turned, -d, d);
    both_outcomes<T> const teacher(v), student(u);
    lanes<T> const p = teacher.unlikely;
    auto const u_above = u >= zero;
    lanes<T> const q = select(u_above, student.likely, student.unlikely);
    lanes<T> const other_q = select(u_above, student.unlikely, student.likely);

    // e^d - 1 - d by way of d / 2, where |d / 2| < ln 2 / 2: that is as far as the series goes.
    auto const near = abs(d) <= lanes<T>(0.6);
    lanes<T> const h = lanes<T>(0.5) * d;
    lanes<T> const rest = polynomial(h, simd::exponential_constants<T>::series) * h * h, less_one = h + rest;
    lanes<T> const square = less_one * less_one;
    lanes<T> const x = p * fma(lanes<T>(2), less_one, square);
    lanes<T> const value_near = fma(p, fma(lanes<T>(2), rest, square), -less_log1p(x));

    lanes<T> const ratio = (student.fall - teacher.fall) * teacher.likely;
    lanes<T> const below = zero_safe_product(p, -d);
    lanes<T> const above = fma(teacher.likely, u, zero_safe_product(p, -abs(v)));
    lanes<T> const value_far = select(u_above, above, below) +
                               log1p_normal(ratio, fma(teacher.fall, student.likely, student.likely));

    value = select(near, value_near, value_far);
    lanes<T> const slope = select(near, x * other_q, q - p);
    by_student = select(turned, -slope, slope);
    lanes<T> const teacher_slope = zero_safe_product(p, -d) * teacher.likely;
    by_teacher = select(turned, -teacher_slope, teacher_slope);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
