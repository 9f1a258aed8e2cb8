#include "allocations.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
thread_local long made = 0;

void* counted(std::size_t size, std::size_t alignment) {
  ++made;
  std::size_t const rounded = (size + alignment) / alignment * alignment;  // at least one byte
  if (void* const memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// Every other form of new and delete ends in these. Not inlined: a compiler that sees `free` behind `delete`
// takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, std::max(static_cast<std::size_t>(alignment), alignof(std::max_align_t)));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace distil::testing {

long allocations() { return made; }

// By direct calls, which no compiler may leave out.
TEST(allocation_counter, counts_every_form) {
  long const before = allocations();
  ::operator delete(::operator new(3));
  ::operator delete[](::operator new[](3));
  ::operator delete(::operator new(3, std::nothrow));
  ::operator delete(::operator new(64, std::align_val_t(64)), std::align_val_t(64));
  EXPECT_EQ(allocations() - before, 4);
}

}  // namespace distil::testing
