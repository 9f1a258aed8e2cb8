#pragma once

#include "distil/simd/lanes.hpp"

#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
#include <immintrin.h>

/// Registers of 16-bit words to registers of float and back, bit for bit what the scalar conversions of
/// core/float16.hpp give; only the payload of a NaN may differ.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::x86 {

DISTIL_INLINE __m128i select(__m128i condition, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(condition, yes), _mm_andnot_si128(condition, no));
}
DISTIL_INLINE __m128i upper_words(__m128i words) { return _mm_unpackhi_epi64(words, words); }

#if defined(__AVX__)
DISTIL_INLINE __m256 join(__m128 low, __m128 high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}
#endif

/// `widen_4`, `widen_8` and `widen_16` take as many words; `narrow` leaves them in the low part of its result.
template <class Storage>
struct words;

template <>
struct words<bfloat16> {
  static DISTIL_INLINE __m128 widen_4(__m128i bits) {
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), bits));
  }

  static DISTIL_INLINE __m128i narrow(__m128 value) {
    __m128i const word = _mm_castps_si128(value);
    __m128i const odd = _mm_and_si128(_mm_srli_epi32(word, 16), _mm_set1_epi32(1));
    __m128i const rounded = _mm_add_epi32(_mm_add_epi32(word, _mm_set1_epi32(0x7FFF)), odd);
    __m128i const quiet = _mm_or_si128(word, _mm_set1_epi32(0x00400000));
    __m128i const is_nan = _mm_castps_si128(_mm_cmpunord_ps(value, value));
    __m128i const result = _mm_srai_epi32(select(is_nan, quiet, rounded), 16);
    return _mm_packs_epi32(result, result);
  }

#if defined(__AVX2__)
  static DISTIL_INLINE __m256 widen_8(__m128i bits) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  static DISTIL_INLINE __m128i narrow(__m256 value) {
    __m256i const word = _mm256_castps_si256(value);
    __m256i const odd = _mm256_and_si256(_mm256_srli_epi32(word, 16), _mm256_set1_epi32(1));
    __m256i const rounded = _mm256_add_epi32(_mm256_add_epi32(word, _mm256_set1_epi32(0x7FFF)), odd);
    __m256i const quiet = _mm256_or_si256(word, _mm256_set1_epi32(0x00400000));
    __m256i const is_nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    __m256i const result = _mm256_srai_epi32(_mm256_blendv_epi8(rounded, quiet, is_nan), 16);
    __m256i const packed = _mm256_packs_epi32(result, result);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
  }
#elif defined(__AVX__)
  static DISTIL_INLINE __m256 widen_8(__m128i bits) {
    return join(widen_4(bits), widen_4(upper_words(bits)));
  }
  static DISTIL_INLINE __m128i narrow(__m256 value) {
    return _mm_unpacklo_epi64(narrow(_mm256_castps256_ps128(value)), narrow(_mm256_extractf128_ps(value, 1)));
  }
#endif

#if defined(__AVX512F__)
  static DISTIL_INLINE __m512 widen_16(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static DISTIL_INLINE __m256i narrow(__m512 value) {
    __m512i const word = _mm512_castps_si512(value);
#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
    // The instruction for this flushes subnormals.
    __mmask16 const tiny = _mm512_testn_epi32_mask(word, _mm512_set1_epi32(0x7F800000));
    if (_mm512_mask_test_epi32_mask(tiny, word, _mm512_set1_epi32(0x007FFFFF)) == 0) {
      return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value));
    }
#endif
    __m512i const odd = _mm512_and_si512(_mm512_srli_epi32(word, 16), _mm512_set1_epi32(1));
    __m512i const rounded = _mm512_add_epi32(_mm512_add_epi32(word, _mm512_set1_epi32(0x7FFF)), odd);
    __mmask16 const is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    __m512i const result = _mm512_mask_or_epi32(rounded, is_nan, word, _mm512_set1_epi32(0x00400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(result, 16));
  }
#endif
};

template <>
struct words<half> {
  // Every processor with AVX2 has F16C, too, but a compiler may not be told so.
#if defined(__F16C__) && defined(__AVX2__)
  static DISTIL_INLINE __m128 widen_4(__m128i bits) { return _mm_cvtph_ps(bits); }
  static DISTIL_INLINE __m128i narrow(__m128 value) { return _mm_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT); }
  static DISTIL_INLINE __m256 widen_8(__m128i bits) { return _mm256_cvtph_ps(bits); }
  static DISTIL_INLINE __m128i narrow(__m256 value) {
    return _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT);
  }
#else
  // The steps of the scalar conversions, each branch a selection.
  static DISTIL_INLINE __m128 widen_4(__m128i bits) {
    __m128i const word = _mm_unpacklo_epi16(bits, _mm_setzero_si128());
    __m128i const sign = _mm_slli_epi32(_mm_and_si128(word, _mm_set1_epi32(0x8000)), 16);
    __m128i const magnitude = _mm_slli_epi32(_mm_and_si128(word, _mm_set1_epi32(0x7FFF)), 13);
    __m128i const least_normal = _mm_set1_epi32(0x38800000);
    __m128 const subnormal =
        _mm_sub_ps(_mm_castsi128_ps(_mm_add_epi32(magnitude, least_normal)), _mm_castsi128_ps(least_normal));
    __m128i const normal = _mm_add_epi32(magnitude, _mm_set1_epi32(0x38000000));
    __m128i const infinite = _mm_or_si128(magnitude, _mm_set1_epi32(0x7F800000));
    __m128i const finite =
        select(_mm_cmplt_epi32(magnitude, _mm_set1_epi32(0x00800000)), _mm_castps_si128(subnormal), normal);
    __m128i const is_finite = _mm_cmplt_epi32(magnitude, _mm_set1_epi32(0x0F800000));
    return _mm_castsi128_ps(_mm_or_si128(sign, select(is_finite, finite, infinite)));
  }
  static DISTIL_INLINE __m128i narrow(__m128 value) {
    __m128i const word = _mm_castps_si128(value);
    __m128i const sign = _mm_and_si128(_mm_srli_epi32(word, 16), _mm_set1_epi32(0x8000));
    __m128i const magnitude = _mm_and_si128(word, _mm_set1_epi32(0x7FFFFFFF));
    __m128i const shifted = _mm_srli_epi32(magnitude, 13);
    __m128i const odd = _mm_and_si128(shifted, _mm_set1_epi32(1));
    __m128i const rebiased = _mm_sub_epi32(magnitude, _mm_set1_epi32(0x38000000 - 0xFFF));
    __m128i const normal = _mm_srli_epi32(_mm_add_epi32(rebiased, odd), 13);
    __m128 const aligned = _mm_add_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0.5F));
    __m128i const subnormal = _mm_sub_epi32(_mm_castps_si128(aligned), _mm_set1_epi32(0x3F000000));
    __m128i const nan = _mm_or_si128(_mm_set1_epi32(0x7E00), _mm_and_si128(shifted, _mm_set1_epi32(0x3FF)));
    __m128i const is_nan = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7F800000));
    __m128i const infinite = select(is_nan, nan, _mm_set1_epi32(0x7C00));
    __m128i const finite = select(_mm_cmplt_epi32(magnitude, _mm_set1_epi32(0x38800000)), subnormal, normal);
    __m128i const is_finite = _mm_cmplt_epi32(magnitude, _mm_set1_epi32(0x477FF000));
    __m128i const result = _mm_or_si128(sign, select(is_finite, finite, infinite));
    __m128i const extended = _mm_srai_epi32(_mm_slli_epi32(result, 16), 16);
    return _mm_packs_epi32(extended, extended);
  }
#if defined(__AVX__)
  static DISTIL_INLINE __m256 widen_8(__m128i bits) {
    return join(widen_4(bits), widen_4(upper_words(bits)));
  }
  static DISTIL_INLINE __m128i narrow(__m256 value) {
    return _mm_unpacklo_epi64(narrow(_mm256_castps256_ps128(value)), narrow(_mm256_extractf128_ps(value, 1)));
  }
#endif
#endif

#if defined(__AVX512F__)
  static DISTIL_INLINE __m512 widen_16(__m256i bits) { return _mm512_cvtph_ps(bits); }
  static DISTIL_INLINE __m256i narrow(__m512 value) {
    return _mm512_maskz_cvtps_ph(0xFFFF, value, _MM_FROUND_TO_NEAREST_INT);
  }
#endif
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::x86
#endif
