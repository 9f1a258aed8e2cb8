#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "distil/simd/lanes.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// By Horner's rule, coefficients from the highest power down; unrolled whatever the optimiser thinks of loops.
template <std::size_t Next = 1, class T, std::size_t Count>
DISTIL_INLINE lanes<T> polynomial(lanes<T> x, T const (&coefficients)[Count],
                                  std::type_identity_t<lanes<T>> sum) {
  if constexpr (Next == Count) {
    return sum;
  } else {
    return polynomial<Next + 1>(x, coefficients, fma(sum, x, lanes<T>(coefficients[Next])));
  }
}
template <class T, std::size_t Count>
DISTIL_INLINE lanes<T> polynomial(lanes<T> x, T const (&coefficients)[Count]) {
  return polynomial(x, coefficients, lanes<T>(coefficients[0]));
}

/// Constants of e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2. `series` is (e^r - 1 - r) / r^2, highest
/// power first: to 3e-9 of e^r by minimax in float, Taylor's to 4e-18 in double.
template <class T>
struct exponential_constants;

template <>
struct exponential_constants<float> {
  using bits = std::int32_t;
  static constexpr int fraction_bits = 23;
  static constexpr float bias = 127.0F;
  static constexpr float rounder = 0x1.8p23F + bias;
  static constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
  static constexpr float smallest = -87.336544F;  // of a normal result
  static constexpr float series[] = {0.00138144648F, 0.00836878062F, 0.0416683943F, 0.166665201F,
                                     0.499999934F};
};

template <>
struct exponential_constants<double> {
  using bits = std::int64_t;
  static constexpr int fraction_bits = 52;
  static constexpr double bias = 1023.0;
  static constexpr double rounder = 0x1.8p52 + bias;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double smallest = -708.39641853226408;
  static constexpr double series[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                      1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                      1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
};

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

/// 2^n of n + rounder, whose lowest bits are n and the bias of an exponent.
template <class T>
DISTIL_INLINE lanes<T> power_of(lanes<T> biased) {
  using bits = typename exponential_constants<T>::bits;
  xsimd::batch<bits> const exponent = reinterpret<bits>(biased.raw)
                                      << exponential_constants<T>::fraction_bits;
  return lanes<T>::of(reinterpret<T>(exponent));
}

/// x * 2^n for 1/2 < x < 2, and the n at which it is 0.
#if defined(__AVX512F__)
template <class T>
inline constexpr T vanishing_power = -2 * exponential_constants<T>::bias;

/// n = round(y), and what scales by 2^n; not by the multipliers, which are what the sweeps wait for.
template <class T>
struct whole_power {
  lanes<T> n;
  DISTIL_INLINE explicit whole_power(lanes<T> y) : n(lanes<T>::of(x86::round(y.raw))) {}
  [[nodiscard]] DISTIL_INLINE lanes<T> scale(lanes<T> x) const {
    return lanes<T>::of(x86::scale_by_power(x.raw, n.raw));
  }
};
#else
template <class T>
inline constexpr T vanishing_power = -exponential_constants<T>::bias;

template <class T>
struct whole_power {
  lanes<T> biased, n;
  DISTIL_INLINE explicit whole_power(lanes<T> y)
      : biased(y + lanes<T>(exponential_constants<T>::rounder)),
        n(biased - lanes<T>(exponential_constants<T>::rounder)) {}
  [[nodiscard]] DISTIL_INLINE lanes<T> scale(lanes<T> x) const { return x * power_of(biased); }
};
#endif

}  // namespace backend
#endif

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
    lanes<T> const less_one = fma(polynomial(r, constants::series), r * r, r);
    lanes<T> const power = backend::power_of(biased);
    return select(x < lanes<T>(constants::smallest), lanes<T>(0), fma(less_one, power, power));
#endif
  }
}

/// (2^f - 1) / f for |f| <= 1/2, highest power first: the minimax polynomial that gives 2^f to 3e-9 in float and 2e-17
/// in double.
template <class T>
inline constexpr T power_of_two_series[] = {};
template <>
inline constexpr float power_of_two_series<float>[] = {1.55949061e-4F, 1.34066487e-3F, 9.61769224e-3F,
                                                       5.55031053e-2F, 2.40226528e-1F, 6.93147215e-1F};
template <>
inline constexpr double power_of_two_series<double>[] = {
    4.07813752020446566e-10, 7.07257043612272911e-9, 1.01806472053680453e-7, 1.32154426750030998e-6,
    1.52527273862985880e-5,  1.54035304415732136e-4, 1.33335581534388683e-3, 9.61812910760700118e-3,
    5.55041086647903982e-2,  2.40226506959100980e-1, 6.93147180559945670e-1};

inline constexpr double log2e = 1.4426950408889634;
inline constexpr double ln2 = 0.6931471805599453;

/// 2^y for y <= 0: at most 1.05 ulp in float and 1.2 in double (1.3 and 1.4 where the target has no fused
/// multiplication); what is below the smallest normal number may come out as less, and is 0 from 2^-150 (2^-1075 in
/// double) on; NaN for NaN.
///
/// The sweeps of a softmax take it for e^(x/T), with y = x * (log2(e) / T): rounding y costs |x/T| / 2 epsilons of the
/// result, little next to the row's largest term, and saves a third of the multiplications.
template <class T>
DISTIL_INLINE lanes<T> exp2_nonpositive(lanes<T> y) {
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::scalar<T>>) {
    return lanes<T>::of(std::exp2(y.raw));
  } else {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    lanes<T> const inside = max(lanes<T>(backend::vanishing_power<T>), y);  // in this order: a NaN stays
    backend::whole_power<T> const power(inside);
    lanes<T> const f = inside - power.n;
    return power.scale(fma(polynomial(f, power_of_two_series<T>), f, lanes<T>(1)));
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
