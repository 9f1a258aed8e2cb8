#pragma once

#include <cstdlib>
#include <optional>
#include <string>

/// What must be chosen, found without the library: the compiler's question to the processor, and the environment.
/// DISPATCH_BEST is set where a processor is emulated.
namespace expected {

inline int best_level() {
  if (char const* const best = std::getenv("DISPATCH_BEST")) return std::atoi(best);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return 4;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return 3;
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) return 2;
  return 1;
}

inline std::string name_of(int level) {
  return level == 1 ? std::string("x86-64") : "x86-64-v" + std::to_string(level);
}

/// Nothing where the environment asks for what cannot be.
inline std::optional<int> level() {
  char const* const forced = std::getenv("DISTIL_FORCE_ARCH");
  if (forced == nullptr) return best_level();
  for (int level = 1; level <= best_level(); ++level) {
    if (name_of(level) == forced) return level;
  }
  return std::nullopt;
}

}  // namespace expected
