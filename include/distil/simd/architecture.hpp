#pragma once

#include "distil/core/language.hpp"

/// One definition, many architectures: everything that touches a SIMD register lives in an inline namespace
/// named after the instruction set it was compiled for, so that translation units with different -m flags
/// link correctly. Machines finer than the levels below share a name.

#if (defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)) && \
    !defined(DISTIL_ALLOW_FAST_MATH)
#error \
    "distil: -ffast-math breaks masks (-inf) and NaN rows. Compile without it, add -fno-finite-math-only, or define \
DISTIL_ALLOW_FAST_MATH if no logit is ever infinite or NaN."
#endif

#if defined(DISTIL_NO_SIMD)
#define DISTIL_ARCH_NAMESPACE arch_scalar
#elif defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512FP16__)
#define DISTIL_ARCH_NAMESPACE arch_avx512_fp16
#elif defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BF16__)
#define DISTIL_ARCH_NAMESPACE arch_avx512_bf16
#elif defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512VNNI__)
#define DISTIL_ARCH_NAMESPACE arch_avx512_vnni
#elif defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define DISTIL_ARCH_NAMESPACE arch_avx512
#elif defined(__AVX512F__)
#define DISTIL_ARCH_NAMESPACE arch_avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#define DISTIL_ARCH_NAMESPACE arch_avx2_fma
#elif defined(__AVX2__)
#define DISTIL_ARCH_NAMESPACE arch_avx2
#elif defined(__AVX__)
#define DISTIL_ARCH_NAMESPACE arch_avx
#elif defined(__SSE4_2__)
#define DISTIL_ARCH_NAMESPACE arch_sse4_2
#elif defined(__SSE2__)
#define DISTIL_ARCH_NAMESPACE arch_sse2
#elif defined(__ARM_FEATURE_SVE)
#define DISTIL_ARCH_NAMESPACE arch_sve
#elif defined(__ARM_NEON)
#define DISTIL_ARCH_NAMESPACE arch_neon
#else
#define DISTIL_ARCH_NAMESPACE arch_generic
#endif

/// For functions that hold SIMD registers: a call would spill them.
#if defined(__GNUC__) || defined(__clang__)
#define DISTIL_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define DISTIL_INLINE __forceinline
#else
#define DISTIL_INLINE inline
#endif
