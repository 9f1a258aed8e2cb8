#pragma once

#include <gtest/gtest.h>

#include <string>

/// Kernels allocate nothing after the first call of a thread. Counted by allocations.cpp, which CMake links to the tests of
/// losses: not to those with sanitizers, whose allocator it would replace in part.
namespace distil::testing {

#if defined(DISTIL_TEST_COUNTS_ALLOCATIONS)
constexpr bool counts_allocations = true;
long allocations();  ///< of this thread so far
#else
constexpr bool counts_allocations = false;
inline long allocations() { return 0; }
#endif

/// A second call of this allocates nothing.
template <class Call>
void expect_no_allocation(std::string const& what, Call const& call) {
  if (!counts_allocations) return;
  call();
  long const before = allocations();
  call();
  EXPECT_EQ(allocations() - before, 0) << what;
}

}  // namespace distil::testing
