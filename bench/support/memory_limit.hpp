#pragma once

#include <distil/simd/lanes.hpp>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace bench {

enum class stores {
  plain,    ///< through the caches, which read the line before it is written
  streamed  ///< past the caches, where the machine can; to addresses on the boundary of a register
};

template <stores Kind>
DISTIL_INLINE void store(float* to, distil::simd::lanes<float> value) {
  if constexpr (Kind == stores::plain) {
    value.store(to);
  } else {
#if defined(DISTIL_NO_SIMD) || !defined(__SSE2__)
    value.store(to);
#elif defined(__AVX512F__)
    _mm512_stream_ps(to, value.raw);
#elif defined(__AVX__)
    _mm256_stream_ps(to, value.raw);
#else
    _mm_stream_ps(to, value.raw);
#endif
  }
}

/// c = a + b for arrays of a whole number of registers that begin on 64 bytes, in one even part per thread.
template <stores Kind>
void add_arrays(float const* a, float const* b, float* c, std::ptrdiff_t size, int threads) {
  using lanes = distil::simd::lanes<float>;
  std::ptrdiff_t const registers = size / lanes::size;
  auto const part = [=](std::ptrdiff_t i) {
    std::ptrdiff_t const first = registers * i / threads * lanes::size;
    std::ptrdiff_t const last = registers * (i + 1) / threads * lanes::size;
    for (std::ptrdiff_t at = first; at < last; at += lanes::size) {
      store<Kind>(c + at, lanes::load(a + at) + lanes::load(b + at));
    }
#if defined(__SSE2__)
    if constexpr (Kind == stores::streamed) _mm_sfence();
#endif
  };
  if (threads == 1) {
    part(0);
  } else {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int i = 0; i < threads; ++i) part(i);
  }
}

}  // namespace bench
