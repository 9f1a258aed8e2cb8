#include "support/allocations.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace bench {

namespace {

std::atomic<long> count = 0;

void* counted(std::size_t size, std::size_t alignment) {
  count.fetch_add(1, std::memory_order_relaxed);
  std::size_t const rounded = (size + alignment) / alignment * alignment;  // at least one byte
  if (void* const memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}

}  // namespace

long allocations() { return count.load(std::memory_order_relaxed); }

}  // namespace bench

// Every other form of new and delete ends in these. Not inlined: a compiler that sees `free` behind `delete`
// takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return bench::counted(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return bench::counted(size, std::max(static_cast<std::size_t>(alignment), alignof(std::max_align_t)));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
