#pragma once

#include "distil/core/matrix_view.hpp"
#include "distil/simd/architecture.hpp"

#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
// GCC 12 warns about AVX-512 intrinsics inside its own headers.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// What xsimd has not, or not in all versions, on x86.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend::x86 {

// Over the lanes, half on half.
DISTIL_INLINE float sum_across(__m128 a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}
DISTIL_INLINE double sum_across(__m128d a) { return _mm_cvtsd_f64(_mm_add_sd(a, _mm_unpackhi_pd(a, a))); }
DISTIL_INLINE float max_across(__m128 a) {
  a = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps(a, a, 1)));
}
DISTIL_INLINE double max_across(__m128d a) { return _mm_cvtsd_f64(_mm_max_sd(a, _mm_unpackhi_pd(a, a))); }

#if defined(__AVX__)
DISTIL_INLINE float sum_across(__m256 a) {
  return sum_across(_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
}
DISTIL_INLINE double sum_across(__m256d a) {
  return sum_across(_mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)));
}
DISTIL_INLINE float max_across(__m256 a) {
  return max_across(_mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
}
DISTIL_INLINE double max_across(__m256d a) {
  return max_across(_mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)));
}
#endif

// 0 where the condition holds, whose lanes are all ones or all zeros: compilers take a selection by signs for more.
#if !defined(__AVX512F__)
DISTIL_INLINE __m128 zero_where(__m128 condition, __m128 x) { return _mm_andnot_ps(condition, x); }
DISTIL_INLINE __m128d zero_where(__m128d condition, __m128d x) { return _mm_andnot_pd(condition, x); }
// xsimd negates a comparison half by half.
DISTIL_INLINE __m128 differ(__m128 a, __m128 b) { return _mm_cmpneq_ps(a, b); }
DISTIL_INLINE __m128d differ(__m128d a, __m128d b) { return _mm_cmpneq_pd(a, b); }
#if defined(__AVX__)
DISTIL_INLINE __m256 differ(__m256 a, __m256 b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
DISTIL_INLINE __m256d differ(__m256d a, __m256d b) { return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ); }
DISTIL_INLINE __m256 zero_where(__m256 condition, __m256 x) { return _mm256_andnot_ps(condition, x); }
DISTIL_INLINE __m256d zero_where(__m256d condition, __m256d x) { return _mm256_andnot_pd(condition, x); }
#endif
#endif

#if defined(__AVX512F__)
DISTIL_INLINE __m256d upper(__m512d a) { return _mm512_extractf64x4_pd(a, 1); }
DISTIL_INLINE __m256 upper(__m512 a) { return _mm256_castpd_ps(upper(_mm512_castps_pd(a))); }

DISTIL_INLINE float sum_across(__m512 a) {
  return sum_across(_mm256_add_ps(_mm512_castps512_ps256(a), upper(a)));
}
DISTIL_INLINE double sum_across(__m512d a) {
  return sum_across(_mm256_add_pd(_mm512_castpd512_pd256(a), upper(a)));
}
DISTIL_INLINE float max_across(__m512 a) {
  return max_across(_mm256_max_ps(_mm512_castps512_ps256(a), upper(a)));
}
DISTIL_INLINE double max_across(__m512d a) {
  return max_across(_mm256_max_pd(_mm512_castpd512_pd256(a), upper(a)));
}

// Before xsimd 11 a multiplication and an addition.
DISTIL_INLINE __m512 fma(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
DISTIL_INLINE __m512d fma(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }

// To the nearest whole number, and x * 2^n for a whole n. Unoptimised, rounding is a macro of GCC 12 that changes signs.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
DISTIL_INLINE __m512 round(__m512 a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
DISTIL_INLINE __m512d round(__m512d a) {
  return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
DISTIL_INLINE __m512 scale_by_power(__m512 x, __m512 n) { return _mm512_scalef_ps(x, n); }
DISTIL_INLINE __m512d scale_by_power(__m512d x, __m512d n) { return _mm512_scalef_pd(x, n); }

// weight * x + sum where the weight is not 0.
DISTIL_INLINE __m512 zero_safe_fma(__m512 weight, __m512 x, __m512 sum) {
  return _mm512_mask3_fmadd_ps(weight, x, sum, _mm512_cmpneq_ps_mask(weight, _mm512_setzero_ps()));
}
DISTIL_INLINE __m512d zero_safe_fma(__m512d weight, __m512d x, __m512d sum) {
  return _mm512_mask3_fmadd_pd(weight, x, sum, _mm512_cmpneq_pd_mask(weight, _mm512_setzero_pd()));
}

// The first `count` lanes.
DISTIL_INLINE __mmask16 first_16(index count) { return static_cast<__mmask16>((1U << count) - 1U); }
DISTIL_INLINE __mmask8 first_8(index count) { return static_cast<__mmask8>((1U << count) - 1U); }

DISTIL_INLINE __m512 load_first(float const* from, index count, float padding) {
  return _mm512_mask_loadu_ps(_mm512_set1_ps(padding), first_16(count), from);
}
DISTIL_INLINE __m512d load_first(double const* from, index count, double padding) {
  return _mm512_mask_loadu_pd(_mm512_set1_pd(padding), first_8(count), from);
}
DISTIL_INLINE void store_first(float* to, __m512 value, index count) {
  _mm512_mask_storeu_ps(to, first_16(count), value);
}
DISTIL_INLINE void store_first(double* to, __m512d value, index count) {
  _mm512_mask_storeu_pd(to, first_8(count), value);
}
#endif

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend::x86
#endif
