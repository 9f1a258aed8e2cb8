// This unit sees no OpenMP and is linked with units that do: each must keep its own parallel policy.
#undef _OPENMP
#include "distil/core/execution.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "chunks.hpp"

namespace distil::testing {
namespace {

TEST(execution_without_openmp, parallel_runs_on_the_calling_thread) {
  chunk_record record(64);
  run(parallel_policy{4}, 64, detail::parallel_threshold, record);
  EXPECT_TRUE(record.each_ran_once());
  EXPECT_TRUE(ran_on_this_thread_alone(record));
}

TEST(execution_without_openmp, the_type_of_parallel_says_so) {
  static_assert(std::is_same_v<parallel_policy, without_openmp::parallel_policy>);
  static_assert(execution_policy<without_openmp::parallel_policy>);
}

}  // namespace
}  // namespace distil::testing
