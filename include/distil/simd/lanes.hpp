#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "distil/core/matrix_view.hpp"
#include "distil/simd/architecture.hpp"

#if !defined(DISTIL_NO_SIMD)
// GCC 12 warns about AVX-512 intrinsics inside its own headers.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

/// The shim over xsimd (8.1 to 14): a fixed set of operations with one meaning on every version and, one lane
/// wide, on targets without SIMD.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

namespace backend {

template <class T>
struct scalar {
  using type = T;
  using mask = bool;
  static constexpr index size = 1;
  static DISTIL_INLINE T load(T const* from) { return *from; }
  static DISTIL_INLINE void store(T* to, T value) { *to = value; }
  static DISTIL_INLINE T select(bool condition, T yes, T no) { return condition ? yes : no; }
  static DISTIL_INLINE T max(T a, T b) { return a > b ? a : b; }
  static DISTIL_INLINE T min(T a, T b) { return a < b ? a : b; }
  static DISTIL_INLINE T fma(T a, T b, T c) { return a * b + c; }
  static DISTIL_INLINE bool any(bool condition) { return condition; }
  static DISTIL_INLINE T log(T a) { return std::log(a); }
};

#if defined(DISTIL_NO_SIMD) || defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <class T>
using native = scalar<T>;
#else
template <class T>
struct vector {
  using type = xsimd::batch<T>;
  using mask = typename type::batch_bool_type;
  static constexpr index size = static_cast<index>(type::size);
  static DISTIL_INLINE type load(T const* from) { return type::load_unaligned(from); }
  static DISTIL_INLINE void store(T* to, type value) { value.store_unaligned(to); }
  static DISTIL_INLINE type select(mask condition, type yes, type no) {
    return xsimd::select(condition, yes, no);
  }
  static DISTIL_INLINE type max(type a, type b) { return xsimd::max(a, b); }
  static DISTIL_INLINE type min(type a, type b) { return xsimd::min(a, b); }
  static DISTIL_INLINE type fma(type a, type b, type c) { return xsimd::fma(a, b, c); }
  static DISTIL_INLINE bool any(mask condition) { return xsimd::any(condition); }
  static DISTIL_INLINE type log(type a) {
#if defined(__AVX512BW__) && !defined(__OPTIMIZE__) && XSIMD_VERSION_MAJOR < 9
    // Unoptimised, the logarithm of xsimd 8 does not compile here: its select meets intrinsics that are
    // macros.
    T values[static_cast<std::size_t>(size)];
    store(values, a);
    for (T& value : values) value = std::log(value);
    return load(values);
#else
    return xsimd::log(a);
#endif
  }
};
template <class T>
using native =
    std::conditional_t<xsimd::has_simd_register<T, xsimd::default_arch>::value, vector<T>, scalar<T>>;
#endif

}  // namespace backend

/// The answer of a comparison, lane by lane.
template <class T>
struct mask {
  typename backend::native<T>::mask raw;

  friend DISTIL_INLINE mask operator&(mask a, mask b) { return {a.raw && b.raw}; }
  friend DISTIL_INLINE mask operator|(mask a, mask b) { return {a.raw || b.raw}; }
};

/// One SIMD register of T (float or double): what a divergence's functions take and return. Numbers
/// broadcast.
template <class T>
struct lanes {
  using value_type = T;
  using native = backend::native<T>;
  static constexpr index size = native::size;

  typename native::type raw;

  lanes() = default;
  template <class Number>
  requires std::is_arithmetic_v<Number> DISTIL_INLINE lanes(Number value) : raw(static_cast<T>(value)) {}

  static DISTIL_INLINE lanes load(T const* from) { return of(native::load(from)); }
  DISTIL_INLINE void store(T* to) const { native::store(to, raw); }

  static DISTIL_INLINE lanes of(typename native::type value) {
    lanes result;
    result.raw = value;
    return result;
  }

  friend DISTIL_INLINE lanes operator+(lanes a, lanes b) { return of(a.raw + b.raw); }
  friend DISTIL_INLINE lanes operator-(lanes a, lanes b) { return of(a.raw - b.raw); }
  friend DISTIL_INLINE lanes operator*(lanes a, lanes b) { return of(a.raw * b.raw); }
  friend DISTIL_INLINE lanes operator/(lanes a, lanes b) { return of(a.raw / b.raw); }
  friend DISTIL_INLINE lanes operator-(lanes a) { return of(-a.raw); }
  DISTIL_INLINE lanes& operator+=(lanes b) { return *this = *this + b; }
  DISTIL_INLINE lanes& operator-=(lanes b) { return *this = *this - b; }
  DISTIL_INLINE lanes& operator*=(lanes b) { return *this = *this * b; }

  friend DISTIL_INLINE mask<T> operator==(lanes a, lanes b) { return {a.raw == b.raw}; }
  // NaN differs from everything, itself included; xsimd's own != says otherwise on AVX-512.
  friend DISTIL_INLINE mask<T> operator!=(lanes a, lanes b) { return {!(a.raw == b.raw)}; }
  friend DISTIL_INLINE mask<T> operator<(lanes a, lanes b) { return {a.raw < b.raw}; }
  friend DISTIL_INLINE mask<T> operator<=(lanes a, lanes b) { return {a.raw <= b.raw}; }
  friend DISTIL_INLINE mask<T> operator>(lanes a, lanes b) { return {a.raw > b.raw}; }
  friend DISTIL_INLINE mask<T> operator>=(lanes a, lanes b) { return {a.raw >= b.raw}; }

  /// a * b + c, in one rounding where the target can.
  friend DISTIL_INLINE lanes fma(lanes a, lanes b, lanes c) { return of(native::fma(a.raw, b.raw, c.raw)); }
  /// Either operand may come back when one is NaN: xsimd versions differ.
  friend DISTIL_INLINE lanes max(lanes a, lanes b) { return of(native::max(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes min(lanes a, lanes b) { return of(native::min(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes abs(lanes a) {
    using std::abs;
    return of(abs(a.raw));
  }
  friend DISTIL_INLINE lanes sqrt(lanes a) {
    using std::sqrt;
    return of(sqrt(a.raw));
  }
  /// Normal arguments; log(0) = -inf.
  friend DISTIL_INLINE lanes log(lanes a) { return of(native::log(a.raw)); }
  friend DISTIL_INLINE lanes log1p(lanes a) {
    using std::log1p;
    return of(log1p(a.raw));
  }
};

/// Lane by lane: condition ? yes : no. What is not chosen may be NaN.
template <class T>
DISTIL_INLINE lanes<T> select(mask<T> condition, lanes<T> yes, std::type_identity_t<lanes<T>> no) {
  return lanes<T>::of(lanes<T>::native::select(condition.raw, yes.raw, no.raw));
}

template <class T>
DISTIL_INLINE bool any(mask<T> condition) {
  return lanes<T>::native::any(condition.raw);
}

/// weight * x with the convention of this field that 0 * log 0 = 0: exactly 0 where the weight is 0.
template <class T>
DISTIL_INLINE lanes<T> zero_safe_product(lanes<T> weight, lanes<T> x) {
  return select(weight != lanes<T>(0), weight * x, lanes<T>(0));
}

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

/// The sum and the maximum over the lanes, in a fixed pairwise order, broadcast to every lane.
template <class T>
DISTIL_INLINE lanes<T> sum_across(lanes<T> a) {
  T values[lanes<T>::size];
  a.store(values);
  for (index half = lanes<T>::size / 2; half > 0; half /= 2) {
    for (index lane = 0; lane < half; ++lane) values[lane] += values[lane + half];
  }
  return lanes<T>(values[0]);
}

template <class T>
DISTIL_INLINE lanes<T> max_across(lanes<T> a) {
  T values[lanes<T>::size];
  a.store(values);
  for (index half = lanes<T>::size / 2; half > 0; half /= 2) {
    for (index lane = 0; lane < half; ++lane) {
      values[lane] = values[lane + half] > values[lane] ? values[lane + half] : values[lane];
    }
  }
  return lanes<T>(values[0]);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
