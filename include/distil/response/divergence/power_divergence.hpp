#pragma once

#include <cmath>

#include "distil/core/number_checks.hpp"
#include "distil/response/divergence/function.hpp"

namespace distil {

namespace detail {

/// A power of the divergence below: 0, or a number with an inverse and a square.
inline void require_power(char const* where, char const* argument, double power, computing_type type,
                          char const* must_be) {
  require(std::isfinite(power), where, argument, power, must_be);
  if (power == 0.0) return;
  require_made(where, argument, power, type, "its inverse", 1.0 / power, must_be);
  require_bounded(where, argument, power, type, "its square", power * power, must_be);
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

using simd::lanes;

/// 1 / (k + 1)! for k = 0, 1, ...
inline constexpr double inverse_factorials[] = {1.0,
                                                1.0 / 2,
                                                1.0 / 6,
                                                1.0 / 24,
                                                1.0 / 120,
                                                1.0 / 720,
                                                1.0 / 5040,
                                                1.0 / 40320,
                                                1.0 / 362880,
                                                1.0 / 3628800,
                                                1.0 / 39916800,
                                                1.0 / 479001600,
                                                1.0 / 6227020800,
                                                1.0 / 87178291200};

/// Where the series below stand for what they are the series of.
inline constexpr double near_zero = 0.25;

/// expm1(x) / x.
template <class T>
DISTIL_INLINE lanes<T> expm1_ratio(lanes<T> x) {
  constexpr int terms = sizeof(T) == sizeof(float) ? 7 : 12;
  lanes<T> sum(inverse_factorials[terms - 1]);
  for (int k = terms - 2; k >= 0; --k) sum = fma(sum, x, lanes<T>(inverse_factorials[k]));
  return sum;
}

/// The divided difference (expm1(y) / y - expm1(x) / x) / (y - x), also of equal arguments.
template <class T>
DISTIL_INLINE lanes<T> divided_expm1_ratio(lanes<T> x, lanes<T> y) {
  constexpr int terms = sizeof(T) == sizeof(float) ? 7 : 13;
  lanes<T> difference(1), power = x;  // (y^k - x^k) / (y - x), and x^k
  lanes<T> sum(inverse_factorials[1]);
  for (int k = 2; k <= terms; ++k) {
    difference = fma(y, difference, power);
    power *= x;
    sum = fma(difference, lanes<T>(inverse_factorials[k]), sum);
  }
  return sum;
}

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE

/// The summand of alpha-beta divergences. With r = log p - log q, s = alpha + beta, A = p^s, B = q^s, C = p^alpha q^beta, and
///
///   U = (C - B) / alpha      V = (A - C) / beta      W = (A - B) / s      (their limits where the divisor is 0)
///
/// the summand is (V - U) / s = (V - W) / alpha = (W - U) / beta, d / d log q = -U and d / d log p = V. The form whose
/// divisor is largest cancels only for small r, where it is r^2 times a divided difference; and U, V and W are series
/// there. So nothing is special about powers of 0, or near them. alpha + beta >= 0.
struct power_divergence {
  double alpha, beta;

  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    using T = typename Lanes::value_type;
    double const sum = alpha + beta;
    Lanes const r = select(here.log_p == here.log_q, Lanes(0), here.log_p - here.log_q);
    Lanes const a = raised(here.p, here.log_p, sum), b = raised(here.q, here.log_q, sum);
    Lanes const log_c =
        zero_safe_product(Lanes(alpha), here.log_p) + zero_safe_product(Lanes(beta), here.log_q);
    Lanes const c = alpha >= 0.0 && beta >= 0.0 ? below_one(log_c) : exp(log_c);
    Lanes const br = zero_safe_product(b, r), cr = zero_safe_product(c, r);
    Lanes const u = quotient(c, b, br, r, alpha), v = quotient(a, c, cr, r, beta);
    Lanes value, x, y, at_zero;
    if (alpha * beta >= 0.0) {
      value = sum == 0.0 ? Lanes(0) : (v - u) * Lanes(1.0 / sum);
      x = zero_safe_product(Lanes(-alpha), r), y = zero_safe_product(Lanes(beta), r), at_zero = cr;
    } else if (std::abs(alpha) > std::abs(beta) || sum == 0.0) {
      value = (v - quotient(a, b, br, r, sum)) * Lanes(1.0 / alpha);
      x = zero_safe_product(Lanes(-sum), r), y = zero_safe_product(Lanes(-beta), r);
      at_zero = zero_safe_product(a, r);
    } else {
      value = (quotient(a, b, br, r, sum) - u) * Lanes(1.0 / beta);
      x = zero_safe_product(Lanes(alpha), r), y = zero_safe_product(Lanes(sum), r), at_zero = br;
    }
    auto const small = (abs(x) < Lanes(kernels::near_zero)) & (abs(y) < Lanes(kernels::near_zero));
    value = select(small, at_zero * r * kernels::divided_expm1_ratio<T>(x, y), value);
    return {select(c == Lanes(simd::infinity<T>), c, value), -u, v};
  }

 private:
  template <class Lanes>
  static DISTIL_INLINE Lanes raised(Lanes x, Lanes log_x, double power) {
    if (power == 1.0) return x;
    return below_one(zero_safe_product(Lanes(power), log_x));
  }

  /// e^x for x <= 0 but for the rounding of logarithms of probabilities.
  template <class Lanes>
  static DISTIL_INLINE Lanes below_one(Lanes x) {
    return exp_nonpositive(min(Lanes(0), x));
  }

  /// (to - from) / power, to = from * e^(power * r).
  template <class Lanes>
  static DISTIL_INLINE Lanes quotient(Lanes to, Lanes from, Lanes from_r, Lanes r, double power) {
    using T = typename Lanes::value_type;
    if (power == 0.0) return from_r;
    Lanes const x = Lanes(power) * r;
    return select(abs(x) < Lanes(kernels::near_zero), from_r * kernels::expm1_ratio<T>(x),
                  (to - from) * Lanes(1.0 / power));
  }
};

}  // namespace distil
