#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "distil/simd/lanes.hpp"
#include "distil/simd/tuning.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Memory of this thread for a row's exponentials, at a cache line. It grows to the longest row seen and is
/// kept, so that nothing is allocated after a thread's first call. Its contents last until the next call.
template <class T>
T* scratch(index size) {
  constexpr std::size_t line = 64;
  thread_local std::unique_ptr<std::byte[]> memory;
  thread_local index capacity = 0;
  if (capacity < size) {
    capacity = 0;
    memory.reset();  // not both at once
    memory.reset(new std::byte[static_cast<std::size_t>(size) * sizeof(T) + line]);
    capacity = size;
  }
  auto const address = reinterpret_cast<std::uintptr_t>(memory.get());
  return reinterpret_cast<T*>(memory.get() + (line - address % line) % line);
}

/// Copies to memory without reading it into the caches first, where the target can.
inline void stream(float const* from, index size, float* to) {
#if defined(__SSE2__)
  for (; size > 0 && reinterpret_cast<std::uintptr_t>(to) % 16 != 0; --size) *to++ = *from++;
  for (; size >= 4; size -= 4, from += 4, to += 4) _mm_stream_ps(to, _mm_loadu_ps(from));
#endif
  for (; size > 0; --size) *to++ = *from++;
}
inline void stream(double const* from, index size, double* to) {
#if defined(__SSE2__)
  for (; size > 0 && reinterpret_cast<std::uintptr_t>(to) % 16 != 0; --size) *to++ = *from++;
  for (; size >= 2; size -= 2, from += 2, to += 2) _mm_stream_pd(to, _mm_loadu_pd(from));
#endif
  for (; size > 0; --size) *to++ = *from++;
}

/// Makes what was streamed visible to other threads in order.
inline void finish_streams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
