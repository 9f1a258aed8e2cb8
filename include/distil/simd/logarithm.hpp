#pragma once

#include <cmath>
#include <type_traits>

#include "distil/simd/exponential.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// (log(1 + f) - f) / f^2 for sqrt(1/2) <= 1 + f <= sqrt(2), highest power first: the minimax polynomial that gives
/// log(1 + f) to 5e-9.
inline constexpr float logarithm_series[] = {-0.0764499483F, 0.129219352F, -0.132427119F,
                                             0.141792567F,   -0.16608797F, 0.200020878F,
                                             -0.250015984F,  0.333333242F, -0.499999882F};

/// log x for normal x > 0, at most 1.2 ulp in float; NaN for NaN. For x = 2^n (1 + f) it is n log 2 + log(1 + f), in half
/// the operations of a logarithm that looks for zeros and infinities.
template <class T>
DISTIL_INLINE lanes<T> log_normal(lanes<T> x) {
#if !defined(DISTIL_NO_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
  if constexpr (std::is_same_v<typename lanes<T>::native, backend::vector<float>>) {
    using bits = xsimd::batch<std::int32_t>;
    constexpr std::int32_t fraction = 0x007FFFFF, one = 0x3F800000, root_of_half = 0x3F3504F3;
    bits const moved = backend::reinterpret<std::int32_t>(x.raw) + bits(one - root_of_half);
    bits const power = (moved >> 23) - bits(127);
    bits const mantissa = (moved & bits(fraction)) + bits(root_of_half);
    auto const n = lanes<T>::of(xsimd::to_float(power));
    lanes<T> const f = fma(x, lanes<T>(0), lanes<T>::of(backend::reinterpret<float>(mantissa)) - lanes<T>(1));
    return fma(n, lanes<T>(ln2), fma(f * f, polynomial(f, logarithm_series), f));
  } else {
    return log(x);
  }
#else
  return log(x);
#endif
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
