#include "distil/dispatch/processor.hpp"

#include <gtest/gtest.h>

namespace {

using distil::detail::level_named;
using distil::detail::level_of;
using distil::detail::processor_features;

unsigned bits(std::initializer_list<int> positions) {
  unsigned value = 0;
  for (int const position : positions) value |= 1U << position;
  return value;
}

// By the manual: what each level adds.
processor_features const baseline{};
processor_features const second{bits({0, 9, 13, 19, 20, 23}), 0, bits({0}), 0};
processor_features const third{second.basic | bits({12, 22, 27, 28, 29}), bits({3, 5, 8}), bits({0, 5}),
                               bits({1, 2})};
processor_features const fourth{third.basic, third.structured | bits({16, 17, 28, 30, 31}), third.extended,
                                bits({1, 2, 5, 6, 7})};

TEST(Processor, LevelsHaveNames) {
  EXPECT_EQ(level_named("x86-64"), 1);
  EXPECT_EQ(level_named("x86-64-v4"), 4);
  EXPECT_EQ(level_named("x86-64-v5"), 0);
  EXPECT_EQ(level_named(""), 0);
}

TEST(Processor, ALevelNeedsAllThatItAdds) {
  EXPECT_EQ(level_of(baseline), 1);
  EXPECT_EQ(level_of(second), 2);
  EXPECT_EQ(level_of(third), 3);
  EXPECT_EQ(level_of(fourth), 4);
}

// Takes away one feature after the other; the level must fall below `level`.
void expect_each_needed(processor_features const& all, processor_features const& below, int level) {
  for (auto const member : {&processor_features::basic, &processor_features::structured,
                            &processor_features::extended, &processor_features::registers}) {
    for (int bit = 0; bit < 32; ++bit) {
      unsigned const mask = 1U << bit;
      if ((all.*member & ~(below.*member) & mask) == 0) continue;
      processor_features less = all;
      less.*member &= ~mask;
      EXPECT_EQ(level_of(less), level - 1) << level << ", bit " << bit;
    }
  }
}

TEST(Processor, EachFeatureIsNeeded) {
  expect_each_needed(second, baseline, 2);
  expect_each_needed(third, second, 3);
  expect_each_needed(fourth, third, 4);
}

TEST(Processor, ThisMachineAgreesWithTheCompiler) {
  int const level = distil::detail::level_of_this_machine();
#if defined(__x86_64__)
  EXPECT_EQ(level >= 3, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(level >= 4, __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
#else
  EXPECT_EQ(level, 0);
#endif
}

}  // namespace
