#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "distil/simd/backend.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

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

  /// The first `count` elements, fewer than the register has; the others are not touched and come as `padding`.
  static DISTIL_INLINE lanes load_first(T const* from, index count, T padding) {
    return of(native::load_first(from, count, padding));
  }
  DISTIL_INLINE void store_first(T* to, index count) const { native::store_first(to, raw, count); }

  static DISTIL_INLINE lanes of(typename native::type value) {
    lanes result;
    result.raw = value;
    return result;
  }

  friend DISTIL_INLINE lanes operator+(lanes a, lanes b) { return of(backend::add(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes operator-(lanes a, lanes b) { return of(backend::subtract(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes operator*(lanes a, lanes b) { return of(backend::multiply(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes operator/(lanes a, lanes b) { return of(backend::divide(a.raw, b.raw)); }
  friend DISTIL_INLINE lanes operator-(lanes a) { return of(-a.raw); }
  DISTIL_INLINE lanes& operator+=(lanes b) { return *this = *this + b; }
  DISTIL_INLINE lanes& operator-=(lanes b) { return *this = *this - b; }
  DISTIL_INLINE lanes& operator*=(lanes b) { return *this = *this * b; }

  friend DISTIL_INLINE mask<T> operator==(lanes a, lanes b) { return {a.raw == b.raw}; }
  // NaN differs from everything, itself included; xsimd's own != says otherwise on AVX-512.
  friend DISTIL_INLINE mask<T> operator!=(lanes a, lanes b) { return {native::differ(a.raw, b.raw)}; }
  friend DISTIL_INLINE mask<T> operator<(lanes a, lanes b) { return {a.raw < b.raw}; }
  friend DISTIL_INLINE mask<T> operator<=(lanes a, lanes b) { return {a.raw <= b.raw}; }
  friend DISTIL_INLINE mask<T> operator>(lanes a, lanes b) { return {a.raw > b.raw}; }
  friend DISTIL_INLINE mask<T> operator>=(lanes a, lanes b) { return {a.raw >= b.raw}; }

  /// a * b, rounded whatever is added to it.
  friend DISTIL_INLINE lanes product(lanes a, lanes b) { return of(backend::product(a.raw, b.raw)); }
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
template <class T>
DISTIL_INLINE bool all(mask<T> condition) {
  return lanes<T>::native::all(condition.raw);
}

/// 0 where the condition holds, else x. What is not chosen may be NaN.
template <class T>
DISTIL_INLINE lanes<T> zero_where(mask<T> condition, lanes<T> x) {
  return lanes<T>::of(lanes<T>::native::zero_where(condition.raw, x.raw));
}

/// weight * x with the convention of this field that 0 * log 0 = 0: exactly 0 where the weight is 0.
template <class T>
DISTIL_INLINE lanes<T> zero_safe_product(lanes<T> weight, lanes<T> x) {
  return zero_where(weight == lanes<T>(0), weight * x);
}

/// sum + weight * x with the same convention, in one rounding where the target can.
template <class T>
DISTIL_INLINE lanes<T> zero_safe_fma(lanes<T> weight, lanes<T> x, lanes<T> sum) {
#if defined(__AVX512F__) && !defined(DISTIL_NO_SIMD)
  return lanes<T>::of(backend::x86::zero_safe_fma(weight.raw, x.raw, sum.raw));
#else
  return fma(weight, zero_where(weight == lanes<T>(0), x), sum);
#endif
}

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

template <class T>
DISTIL_INLINE T first_of(lanes<T> a) {
  T values[static_cast<std::size_t>(lanes<T>::size)];
  a.store(values);
  return values[0];
}

/// The sum and the maximum over the lanes, in a fixed pairwise order, broadcast to every lane.
template <class T>
DISTIL_INLINE lanes<T> sum_across(lanes<T> a) {
  return lanes<T>(lanes<T>::native::sum_across(a.raw));
}
template <class T>
DISTIL_INLINE lanes<T> max_across(lanes<T> a) {
  return lanes<T>(lanes<T>::native::max_across(a.raw));
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
