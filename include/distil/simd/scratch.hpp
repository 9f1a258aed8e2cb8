#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "distil/simd/lanes.hpp"
#include "distil/simd/tuning.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

inline constexpr std::size_t cache_line = 64;

/// Memory of this thread for a row's exponentials, at a cache line. It grows to the longest row seen and is
/// kept, so that nothing is allocated after a thread's first call. Its contents last until the next call for the same
/// `Purpose`: what calls the sweeps and needs memory of its own names one.
template <class T, class Purpose = void>
T* scratch(index size) {
  thread_local std::unique_ptr<std::byte[]> memory;
  thread_local index capacity = 0;
  if (capacity < size) {
    capacity = 0;
    memory.reset();  // not both at once
    memory.reset(new std::byte[static_cast<std::size_t>(size) * sizeof(T) + cache_line]);
    capacity = size;
  }
  auto const address = reinterpret_cast<std::uintptr_t>(memory.get());
  return reinterpret_cast<T*>(memory.get() + (cache_line - address % cache_line) % cache_line);
}

/// One line of the cache to memory, past the caches where the target can. `to` lies at a line.
DISTIL_INLINE void stream_line(void const* from, void* to) {
#if defined(__AVX512F__) && !defined(DISTIL_NO_SIMD)
  _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX__) && !defined(DISTIL_NO_SIMD)
  auto const* const source = static_cast<__m256i const*>(from);
  auto* const target = static_cast<__m256i*>(to);
  for (int i = 0; i < 2; ++i) _mm256_stream_si256(target + i, _mm256_loadu_si256(source + i));
#elif defined(__SSE2__)
  auto const* const source = static_cast<__m128i const*>(from);
  auto* const target = static_cast<__m128i*>(to);
  for (int i = 0; i < 4; ++i) _mm_stream_si128(target + i, _mm_loadu_si128(source + i));
#else
  std::memcpy(to, from, cache_line);
#endif
}

/// Elements from an address to the next line.
template <class Storage>
index before_line(Storage const* address) {
  std::size_t const past = reinterpret_cast<std::uintptr_t>(address) % cache_line;
  return static_cast<index>((cache_line - past) % cache_line / sizeof(Storage));
}

/// Copies to memory without reading it into the caches first, where the target can. Only whole lines go that
/// way: the processor would write parts of one piece by piece.
template <class Storage>
void stream(Storage const* from, index size, Storage* to) {
  constexpr index step = static_cast<index>(cache_line / sizeof(Storage));
  index done = std::min(size, before_line(to));
  std::copy(from, from + done, to);
  for (; done + step <= size; done += step) stream_line(from + done, to + done);
  std::copy(from + done, from + size, to + done);
}

/// Makes what was streamed visible to other threads in order.
inline void finish_streams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
