#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "distil/simd/parts.hpp"
#include "distil/simd/scratch.hpp"

/// Storage to arithmetic and back, a register at a time, for elements that are neighbours. What is stored is
/// what `detail::narrow` gives, element by element.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
namespace x86 {

/// A whole register of T in a narrower storage type.
template <class T, index Size>
struct whole {  // one part
  template <class Storage>
  static DISTIL_INLINE auto load(void const* from) {
    return parts<T>::template load<Storage, Size>(from);
  }
  template <class Storage, class Register>
  static DISTIL_INLINE void store(Register value, void* to) {
    parts<T>::template store<Storage, Size>(value, to);
  }
};

#if defined(__AVX__)
template <>
struct whole<float, 8> {
  template <class Storage>
  static DISTIL_INLINE __m256 load(void const* from) {
    if constexpr (std::is_same_v<Storage, float>)
      return _mm256_loadu_ps(static_cast<float const*>(from));
    else
      return words<Storage>::widen_8(_mm_loadu_si128(static_cast<__m128i const*>(from)));
  }
  template <class Storage>
  static DISTIL_INLINE void store(__m256 value, void* to) {
    if constexpr (std::is_same_v<Storage, float>)
      _mm256_storeu_ps(static_cast<float*>(to), value);
    else
      _mm_storeu_si128(static_cast<__m128i*>(to), words<Storage>::narrow(value));
  }
};
template <>
struct whole<double, 4> {
  template <class Storage>
  static DISTIL_INLINE __m256d load(void const* from) {
    return _mm256_cvtps_pd(whole<float, 4>::load<Storage>(from));
  }
  template <class Storage>
  static DISTIL_INLINE void store(__m256d value, void* to) {
    whole<float, 4>::store<Storage>(_mm256_cvtpd_ps(value), to);
  }
};
#endif

#if defined(__AVX512F__)
template <>
struct whole<float, 16> {
  template <class Storage>
  static DISTIL_INLINE __m512 load(void const* from) {
    return words<Storage>::widen_16(_mm256_loadu_si256(static_cast<__m256i const*>(from)));
  }
  template <class Storage>
  static DISTIL_INLINE void store(__m512 value, void* to) {
    _mm256_storeu_si256(static_cast<__m256i*>(to), words<Storage>::narrow(value));
  }
};
template <>
struct whole<double, 8> {
  template <class Storage>
  static DISTIL_INLINE __m512d load(void const* from) {
    return _mm512_cvtps_pd(whole<float, 8>::load<Storage>(from));
  }
  template <class Storage>
  static DISTIL_INLINE void store(__m512d value, void* to) {
    whole<float, 8>::store<Storage>(_mm512_cvtpd_ps(value), to);
  }
};
#endif

/// Whether intrinsics know how to bring this storage to registers of T.
template <class T, class Storage>
inline constexpr bool narrower = std::is_same_v<Storage, half> || std::is_same_v<Storage, bfloat16> ||
                                 (std::is_same_v<Storage, float> && std::is_same_v<T, double>);
template <class T, class Storage>
inline constexpr bool converts = lanes<T>::size > 1 && narrower<T, Storage>;

}  // namespace x86
#endif

template <class T, class Storage>
DISTIL_INLINE lanes<T> load_as(Storage const* from) {
  using own = detail::same_bits_as_t<Storage>;
  if constexpr (std::is_same_v<own, T>) {
    return lanes<T>::load(from);
#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
  } else if constexpr (x86::converts<T, own>) {
    return lanes<T>::of(x86::whole<T, lanes<T>::size>::template load<own>(from));
#endif
  } else {
    T values[static_cast<std::size_t>(lanes<T>::size)];
    for (index i = 0; i < lanes<T>::size; ++i) values[i] = detail::widen<T>(from[i]);
    return lanes<T>::load(values);
  }
}

template <class T, class Storage>
DISTIL_INLINE void store_as(lanes<T> value, Storage* to) {
  using own = detail::same_bits_as_t<Storage>;
  if constexpr (std::is_same_v<own, T>) {
    value.store(to);
#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
  } else if constexpr (x86::converts<T, own>) {
    x86::whole<T, lanes<T>::size>::template store<own>(value.raw, to);
#endif
  } else {
    T values[static_cast<std::size_t>(lanes<T>::size)];
    value.store(values);
    for (index i = 0; i < lanes<T>::size; ++i) to[i] = detail::narrow<Storage>(values[i]);
  }
}

/// Elements that do not fill a register.
template <class T, class Storage>
DISTIL_INLINE lanes<T> load_some_as(Storage const* from, index count) {
  Storage padded[static_cast<std::size_t>(lanes<T>::size)] = {};
  std::copy(from, from + count, padded);
  return load_as<T>(padded);
}
template <class T, class Storage>
DISTIL_INLINE void store_some_as(lanes<T> value, Storage* to, index count) {
  Storage padded[static_cast<std::size_t>(lanes<T>::size)];
  store_as(value, padded);
  std::copy(padded, padded + count, to);
}

/// Neighbours in storage to neighbours in T. What does not fill a last register shares one with its predecessors.
template <class T, class Storage>
DISTIL_INLINE void widen_row(Storage const* from, index count, T* to) {
  constexpr index size = lanes<T>::size;
  if (count < size) {
    store_some_as(load_some_as<T>(from, count), to, count);
    return;
  }
  for (index k = 0; k + size <= count; k += size) load_as<T>(from + k).store(to + k);
  load_as<T>(from + count - size).store(to + count - size);
}

/// And back. With `Adds`, the sum with what lies there, rounded once.
template <bool Adds, class T, class Storage>
DISTIL_INLINE void narrow_row(T const* from, index count, Storage* to) {
  constexpr index size = lanes<T>::size;
  if (count < size) {
    lanes<T> value = load_some_as<T>(from, count);
    if constexpr (Adds) value = load_some_as<T>(to, count) + value;
    store_some_as(value, to, count);
    return;
  }
  // Before its first elements are stored for the first time, so that they are not added twice.
  lanes<T> last = lanes<T>::load(from + count - size);
  if constexpr (Adds) last = load_as<T>(to + count - size) + last;
  for (index k = 0; k + size <= count; k += size) {
    lanes<T> value = lanes<T>::load(from + k);
    if constexpr (Adds) value = load_as<T>(to + k) + value;
    store_as(value, to + k);
  }
  store_as(last, to + count - size);
}

/// The same past the caches (see `stream`), by way of a few lines that stay in the first.
template <class T, class Storage>
DISTIL_INLINE void stream_row(T const* from, index count, Storage* to) {
  if constexpr (std::is_same_v<T, Storage>) {
    stream(from, count, to);
  } else {
    constexpr index piece = static_cast<index>(16 * cache_line / sizeof(Storage));
    alignas(cache_line) std::byte narrowed[16 * cache_line];
    auto* const elements = reinterpret_cast<Storage*>(narrowed);
    index size = std::min(count, before_line(to));
    if (size == 0) size = std::min(count, piece);
    for (index done = 0; done < count; done += size, size = std::min(piece, count - done)) {
      narrow_row<false>(from + done, size, elements);
      stream(elements, size, to + done);
    }
  }
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
