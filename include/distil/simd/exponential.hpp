#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "distil/simd/lanes.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
namespace backend {

/// The bits of a register as numbers of another type.
template <class To, class From>
DISTIL_INLINE xsimd::batch<To> reinterpret(xsimd::batch<From> bits) {
#if XSIMD_VERSION_MAJOR >= 11
  return xsimd::bitwise_cast<To>(bits);
#else
  return xsimd::bitwise_cast<xsimd::batch<To>>(bits);
#endif
}

}  // namespace backend
#endif

/// Constants of e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2. `series` is (e^r - 1 - r) / r^2, highest
/// power first: to 3e-9 of e^r by minimax in float, Taylor's to 4e-18 in double.
template <class T>
struct exponential_constants;

template <>
struct exponential_constants<float> {
  using bits = std::int32_t;
  static constexpr int fraction_bits = 23;
  static constexpr float rounder = 0x1.8p23F + 127.0F;
  static constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
  static constexpr float smallest = -87.336544F;  // of a normal result
  static constexpr float series[] = {0.00138144648F, 0.00836878062F, 0.0416683943F, 0.166665201F,
                                     0.499999934F};
};

template <>
struct exponential_constants<double> {
  using bits = std::int64_t;
  static constexpr int fraction_bits = 52;
  static constexpr double rounder = 0x1.8p52 + 1023.0;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double smallest = -708.39641853226408;
  static constexpr double series[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                      1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                      1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
};

/// e^x for x <= 0, as every softmax needs it: at most 1.05 ulp, 0 where the result would be subnormal, NaN for NaN.
///
/// Adding 1.5 * 2^fraction_bits + bias to x / ln 2 leaves n + bias in the lowest bits, which are 2^n when they are
/// shifted into the exponent: three quarters of the time of a general exponential in float.
template <class T>
DISTIL_INLINE lanes<T> exp_nonpositive(lanes<T> x) {
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::scalar<T>>) {
    return select(x < lanes<T>(exponential_constants<T>::smallest), lanes<T>(0),
                  lanes<T>::of(std::exp(x.raw)));
  } else {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    using constants = exponential_constants<T>;
    lanes<T> const rounder(constants::rounder);
    lanes<T> const biased = fma(x, lanes<T>(1.4426950408889634), rounder);
    lanes<T> const n = biased - rounder;
    lanes<T> const r = fma(n, lanes<T>(-constants::ln2_low), fma(n, lanes<T>(-constants::ln2_high), x));
    lanes<T> series(constants::series[0]);
    for (std::size_t k = 1; k < std::size(constants::series); ++k) {
      series = fma(series, r, lanes<T>(constants::series[k]));
    }
    lanes<T> const less_one = fma(series, r * r, r);
    using bits = typename constants::bits;
    auto const exponent = backend::reinterpret<bits>(biased.raw) << constants::fraction_bits;
    lanes<T> const power = lanes<T>::of(backend::reinterpret<T>(xsimd::batch<bits>(exponent)));
    return select(x < lanes<T>(constants::smallest), lanes<T>(0), fma(less_one, power, power));
#endif
  }
}

/// e^x for the functions of a divergence: at most 1.05 ulp for x <= 0, and 2.5 ulp above. 0 where the result would be
/// subnormal, +inf where its inverse would be; NaN for NaN.
template <class T>
DISTIL_INLINE lanes<T> exp(lanes<T> x) {
  lanes<T> const falling = exp_nonpositive(-abs(x));
  return select(x > lanes<T>(0), lanes<T>(1) / falling, falling);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
