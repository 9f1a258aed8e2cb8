#pragma once

#include <cstddef>
#include <type_traits>

#include "distil/simd/rounded.hpp"
#include "distil/simd/x86.hpp"

#if !defined(DISTIL_NO_SIMD)
#if !__has_include(<xsimd/xsimd.hpp>)
#error \
    "distil: there is no <xsimd/xsimd.hpp>. Install xsimd 8.1 or newer (Debian, Ubuntu: libxsimd-dev) and add its \
folder by -I, or define DISTIL_NO_SIMD, which is several times slower."
// Stops the compiler here. The name is a new one: g++ 12 goes on without a header that it has been asked for before.
#include <xsimd, which distil needs>
#endif
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
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend {

template <class T>
struct scalar {
  using type = T;
  using mask = bool;
  static constexpr index size = 1;
  static DISTIL_INLINE T load(T const* from) { return *from; }
  static DISTIL_INLINE void store(T* to, T value) { *to = value; }
  static DISTIL_INLINE T load_first(T const*, index, T padding) { return padding; }
  static DISTIL_INLINE void store_first(T*, T, index) {}
  static DISTIL_INLINE T sum_across(T value) { return value; }
  static DISTIL_INLINE T max_across(T value) { return value; }
  static DISTIL_INLINE T select(bool condition, T yes, T no) { return condition ? yes : no; }
  static DISTIL_INLINE bool differ(T a, T b) { return a != b; }
  static DISTIL_INLINE T zero_where(bool condition, T x) { return condition ? T(0) : x; }
  static DISTIL_INLINE T max(T a, T b) { return a > b ? a : b; }
  static DISTIL_INLINE T min(T a, T b) { return a < b ? a : b; }
  static DISTIL_INLINE T fma(T a, T b, T c) { return add(multiply(a, b), c); }
  static DISTIL_INLINE bool any(bool condition) { return condition; }
  static DISTIL_INLINE bool all(bool condition) { return condition; }
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
  static DISTIL_INLINE type load_first(T const* from, index count, T padding) {
#if defined(__AVX512F__)
    return x86::load_first(from, count, padding);
#else
    T values[static_cast<std::size_t>(size)];
    for (index lane = 0; lane < size; ++lane) values[lane] = lane < count ? from[lane] : padding;
    return load(values);
#endif
  }
  static DISTIL_INLINE void store_first(T* to, type value, index count) {
#if defined(__AVX512F__)
    x86::store_first(to, value, count);
#else
    T values[static_cast<std::size_t>(size)];
    store(values, value);
    for (index lane = 0; lane < count; ++lane) to[lane] = values[lane];
#endif
  }
  static DISTIL_INLINE type select(mask condition, type yes, type no) {
    return xsimd::select(condition, yes, no);
  }
  static DISTIL_INLINE mask differ(type a, type b) {
#if defined(__SSE2__) && !defined(__AVX512F__)
    return x86::differ(a.data, b.data);
#else
    return !(a == b);
#endif
  }
  static DISTIL_INLINE type zero_where(mask condition, type x) {
#if defined(__SSE2__) && !defined(__AVX512F__)
    return x86::zero_where(condition.data, x.data);
#else
    return xsimd::select(condition, type(T(0)), x);
#endif
  }
  static DISTIL_INLINE type max(type a, type b) { return xsimd::max(a, b); }
  static DISTIL_INLINE type min(type a, type b) { return xsimd::min(a, b); }
  static DISTIL_INLINE type fma(type a, type b, type c) {
#if defined(__AVX512F__)
    return x86::fma(a, b, c);
#elif defined(__SSE2__) && !defined(__FMA__) && !defined(__FMA4__)
    return add(multiply(a, b), c);
#else
    return xsimd::fma(a, b, c);
#endif
  }
  static DISTIL_INLINE bool any(mask condition) { return xsimd::any(condition); }
  static DISTIL_INLINE bool all(mask condition) { return xsimd::all(condition); }
  static DISTIL_INLINE T sum_across(type a) {
#if defined(__SSE2__)
    return x86::sum_across(a);
#else
    return by_halves(a, [](T x, T y) { return x + y; });
#endif
  }
  static DISTIL_INLINE T max_across(type a) {
#if defined(__SSE2__)
    return x86::max_across(a);
#else
    return by_halves(a, [](T x, T y) { return y > x ? y : x; });
#endif
  }

 private:
  template <class Join>
  static T by_halves(type a, Join join) {
    T values[static_cast<std::size_t>(size)];
    store(values, a);
    for (index half = size / 2; half > 0; half /= 2) {
      for (index lane = 0; lane < half; ++lane) values[lane] = join(values[lane], values[lane + half]);
    }
    return values[0];
  }
};
template <class T>
using native =
    std::conditional_t<xsimd::has_simd_register<T, xsimd::default_arch>::value, vector<T>, scalar<T>>;
#endif

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend
