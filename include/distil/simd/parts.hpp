#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "distil/simd/float16_words.hpp"

#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)

/// Parts of a register: 128 bits, which x86 keeps apart in wider ones. They move 1 to 4 neighbours of a row
/// between memory, in any storage type up to T, and arithmetic, and touch nothing else.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::x86 {

template <index Count>
DISTIL_INLINE __m128i load_words(void const* from) {
  if constexpr (Count == 4) {
    return _mm_loadl_epi64(static_cast<__m128i const*>(from));
  } else if constexpr (Count == 1) {
    std::uint16_t word;
    std::memcpy(&word, from, sizeof word);
    return _mm_cvtsi32_si128(word);
  } else {
    std::int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    __m128i const words = _mm_cvtsi32_si128(pair);
    if constexpr (Count == 2) {
      return words;
    } else {
      std::int16_t third;
      std::memcpy(&third, static_cast<char const*>(from) + sizeof pair, sizeof third);
      return _mm_insert_epi16(words, third, 2);
    }
  }
}

template <index Count>
DISTIL_INLINE void store_words(__m128i words, void* to) {
  if constexpr (Count == 4) {
    _mm_storel_epi64(static_cast<__m128i*>(to), words);
  } else {
    std::int32_t const pair = _mm_cvtsi128_si32(words);
    std::memcpy(to, &pair, Count == 1 ? sizeof(std::uint16_t) : sizeof pair);
    if constexpr (Count == 3) {
      auto const third = static_cast<std::uint16_t>(_mm_extract_epi16(words, 2));
      std::memcpy(static_cast<char*>(to) + sizeof pair, &third, sizeof third);
    }
  }
}

template <class T>
struct parts;

template <>
struct parts<float> {
  using type = __m128;
  static constexpr index size = 4;

  template <class Storage, index Count>
  static DISTIL_INLINE type load(void const* from) {
    if constexpr (!std::is_same_v<Storage, float>) {
      return words<Storage>::widen_4(load_words<Count>(from));
    } else {
      auto const* const floats = static_cast<float const*>(from);
      if constexpr (Count == 4) return _mm_loadu_ps(floats);
      if constexpr (Count == 3) return _mm_movelh_ps(load<float, 2>(floats), _mm_load_ss(floats + 2));
      if constexpr (Count == 2) return _mm_castsi128_ps(_mm_loadl_epi64(static_cast<__m128i const*>(from)));
      if constexpr (Count == 1) return _mm_load_ss(floats);
    }
  }
  template <class Storage, index Count>
  static DISTIL_INLINE void store(type value, void* to) {
    if constexpr (!std::is_same_v<Storage, float>) {
      store_words<Count>(words<Storage>::narrow(value), to);
    } else {
      auto* const floats = static_cast<float*>(to);
      if constexpr (Count == 4) _mm_storeu_ps(floats, value);
      if constexpr (Count == 2 || Count == 3)
        _mm_storel_epi64(static_cast<__m128i*>(to), _mm_castps_si128(value));
      if constexpr (Count == 3) _mm_store_ss(floats + 2, _mm_movehl_ps(value, value));
      if constexpr (Count == 1) _mm_store_ss(floats, value);
    }
  }
};

template <>
struct parts<double> {
  using type = __m128d;
  static constexpr index size = 2;

  template <class Storage, index Count>
  static DISTIL_INLINE type load(void const* from) {
    if constexpr (!std::is_same_v<Storage, double>) {
      return _mm_cvtps_pd(parts<float>::load<Storage, Count>(from));
    } else {
      if constexpr (Count == 2) return _mm_loadu_pd(static_cast<double const*>(from));
      if constexpr (Count == 1) return _mm_load_sd(static_cast<double const*>(from));
    }
  }
  template <class Storage, index Count>
  static DISTIL_INLINE void store(type value, void* to) {
    if constexpr (!std::is_same_v<Storage, double>) {
      parts<float>::store<Storage, Count>(_mm_cvtpd_ps(value), to);
    } else {
      if constexpr (Count == 2) _mm_storeu_pd(static_cast<double*>(to), value);
      if constexpr (Count == 1) _mm_store_sd(static_cast<double*>(to), value);
    }
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::x86
#endif
