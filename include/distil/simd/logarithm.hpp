#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "distil/simd/exponential.hpp"

/// Logarithms by operations of lanes alone. Those of xsimd would do but for compilers that may reorder sums: what 1 + a
/// lost is 0 to them, and a whole number that becomes a double loses its digits.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// (log(1 + f) - f) / f^2 for sqrt(1/2) <= 1 + f <= sqrt(2), highest power first: the minimax polynomial that gives
/// log(1 + f) to 5e-9.
inline constexpr float logarithm_series[] = {-0.0764499483F, 0.129219352F, -0.132427119F,
                                             0.141792567F,   -0.16608797F, 0.200020878F,
                                             -0.250015984F,  0.333333242F, -0.499999882F};

/// log((1 + s) / (1 - s)) = 2 s + s R, where R is z (even powers of z) + (odd powers of z) of z = s^2 (fdlibm, Sun 1993).
/// `whole` is 2^fraction_bits, from which on numbers are whole; `root_of_half` has 32 bits in either type.
template <class T>
struct logarithm_constants;

template <>
struct logarithm_constants<float> {
  using bits = std::uint32_t;
  static constexpr bits one = 0x3F800000, root_of_half = 0x3F3504F3, fraction = 0x007FFFFF,
                        whole_bits = 0x4B000000;
  static constexpr float whole = 0x1p23F;
  static constexpr float even[] = {0x1.23d3dcp-2F, 0x1.555554p-1F}, odd[] = {0x1.f13c4cp-3F, 0x1.999c26p-2F};
};

template <>
struct logarithm_constants<double> {
  using bits = std::uint64_t;
  static constexpr bits one = 0x3FF0000000000000, root_of_half = 0x3FE6A09E00000000,
                        fraction = 0x000FFFFFFFFFFFFF, whole_bits = 0x4330000000000000;
  static constexpr double whole = 0x1p52;
  static constexpr double even[] = {0x1.2f112df3e5244p-3, 0x1.7466496cb03dep-3, 0x1.2492494229359p-2,
                                    0x1.5555555555593p-1},
                          odd[] = {0x1.39a09d078c69fp-3, 0x1.c71c51d8e78afp-3, 0x1.999999997fa04p-2};
};

#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
namespace backend {

/// A normal x > 0 as 2^power (1 + fraction) with sqrt(1/2) <= 1 + fraction < sqrt(2).
template <class T>
struct binary_parts {
  lanes<T> power, fraction;

  explicit DISTIL_INLINE binary_parts(lanes<T> x) {
    using constants = logarithm_constants<T>;
    using bits = xsimd::batch<typename constants::bits>;
    bits const moved =
        reinterpret<typename constants::bits>(x.raw) + bits(constants::one - constants::root_of_half);
    bits const biased = (moved >> exponential_constants<T>::fraction_bits) | bits(constants::whole_bits);
    bits const mantissa = (moved & bits(constants::fraction)) + bits(constants::root_of_half);
    power =
        lanes<T>::of(reinterpret<T>(biased)) - lanes<T>(constants::whole + exponential_constants<T>::bias);
    fraction = lanes<T>::of(reinterpret<T>(mantissa)) - lanes<T>(1);
  }
};

/// power log 2 + log(1 + fraction) + rest, for a rest far below the fraction.
template <class T>
DISTIL_INLINE lanes<T> logarithm_of(lanes<T> power, lanes<T> fraction, lanes<T> rest) {
  using constants = logarithm_constants<T>;
  using exponential = exponential_constants<T>;
  lanes<T> const half_square = lanes<T>(0.5) * fraction * fraction;
  lanes<T> const s = fraction / (lanes<T>(2) + fraction), z = s * s, w = z * z;
  lanes<T> const series = z * polynomial(w, constants::even) + w * polynomial(w, constants::odd);
  lanes<T> const low = fma(s, half_square + series, power * lanes<T>(exponential::ln2_low) + rest);
  return fma(power, lanes<T>(exponential::ln2_high), low - half_square + fraction);
}

/// The logarithm of any x, from that of the normal ones.
template <class T>
DISTIL_INLINE lanes<T> logarithm_of_any(lanes<T> x, lanes<T> of_normal) {
  lanes<T> const of_positive = select(x < lanes<T>(infinity<T>), of_normal, x);
  lanes<T> const of_others =
      select(x == lanes<T>(0), lanes<T>(-infinity<T>), std::numeric_limits<T>::quiet_NaN());
  return select(x > lanes<T>(0), of_positive, of_others);
}

}  // namespace backend
#endif

/// log x, at most 0.9 ulp: -inf for 0, NaN below and for NaN.
template <class T>
DISTIL_INLINE lanes<T> log(lanes<T> x) {
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::scalar<T>>) {
    return lanes<T>::of(std::log(x.raw));
  } else {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    lanes<T> normal = x, shift(0);
    mask<T> const subnormal = x < lanes<T>(std::numeric_limits<T>::min());
    if (any(subnormal)) {
      normal = select(subnormal, x * lanes<T>(logarithm_constants<T>::whole), x);
      shift = select(subnormal, lanes<T>(exponential_constants<T>::fraction_bits), shift);
    }
    backend::binary_parts<T> const parts(normal);
    return backend::logarithm_of_any(x,
                                     backend::logarithm_of(parts.power - shift, parts.fraction, lanes<T>(0)));
#endif
  }
}

/// log(1 + a) with the digits of a small a, at most 0.9 ulp: -inf for -1, NaN below and for NaN.
template <class T>
DISTIL_INLINE lanes<T> log1p(lanes<T> a) {
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::scalar<T>>) {
    return lanes<T>::of(std::log1p(a.raw));
  } else {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    lanes<T> const sum = lanes<T>(1) + a, lost = a - (sum - lanes<T>(1));
    backend::binary_parts<T> const parts(sum);
    return backend::logarithm_of_any(sum, backend::logarithm_of(parts.power, parts.fraction, lost / sum));
#endif
  }
}

/// log x for normal x > 0, at most 1.2 ulp in float; NaN for NaN. For x = 2^n (1 + f) it is n log 2 + log(1 + f), in half
/// the operations of a logarithm that looks for zeros and infinities.
template <class T>
DISTIL_INLINE lanes<T> log_normal(lanes<T> x) {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::vector<float>>) {
    backend::binary_parts<T> const parts(x);
    lanes<T> const f = fma(x, lanes<T>(0), parts.fraction);  // a NaN stays
    return fma(parts.power, lanes<T>(ln2), fma(f * f, polynomial(f, logarithm_series), f));
  } else {
    return log(x);
  }
#else
  return log(x);
#endif
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
