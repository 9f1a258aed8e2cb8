#pragma once

#include <string_view>

#include "distil/core/language.hpp"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <cpuid.h>
#endif

/// Which of the x86-64 levels (x86-64 psABI, section 3.1.1) a machine runs. Asked of the processor itself, since
/// compilers differ in the names that their own question takes.
namespace distil::detail {

/// Names of the levels, as `-march` takes them; level n is the name at n - 1.
inline constexpr std::string_view processor_levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

/// 1 to 4, or 0 for what is no name of a level.
constexpr int level_named(std::string_view name) noexcept {
  for (int level = 1; level <= 4; ++level) {
    if (processor_levels[level - 1] == name) return level;
  }
  return 0;
}

/// What the processor says of itself, and which registers the operating system keeps for a thread.
struct processor_features {
  unsigned basic = 0;       ///< leaf 1, ecx
  unsigned structured = 0;  ///< leaf 7, ebx
  unsigned extended = 0;    ///< leaf 0x80000001, ecx
  unsigned registers = 0;   ///< XCR0
};

constexpr int level_of(processor_features const& features) noexcept {
  auto const has = [](unsigned found, auto... bits) { return ((found >> bits & 1U) & ... & 1U) != 0; };
  // sse3, ssse3, cmpxchg16b, sse4.1, sse4.2, popcnt; lahf
  if (!has(features.basic, 0, 9, 13, 19, 20, 23) || !has(features.extended, 0)) return 1;
  // fma, movbe, osxsave, avx, f16c; bmi1, avx2, bmi2; lzcnt; xmm and ymm registers
  if (!has(features.basic, 12, 22, 27, 28, 29) || !has(features.structured, 3, 5, 8) ||
      !has(features.extended, 5) || !has(features.registers, 1, 2)) {
    return 2;
  }
  // avx512f, dq, cd, bw, vl; mask and zmm registers
  if (!has(features.structured, 16, 17, 28, 30, 31) || !has(features.registers, 5, 6, 7)) return 3;
  return 4;
}

/// The level of this machine, or 0 if it is no x86-64 machine.
inline int level_of_this_machine() noexcept {
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  processor_features features;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) features.basic = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) features.structured = ebx;
  if (__get_cpuid(0x80000001U, &eax, &ebx, &ecx, &edx) != 0) features.extended = ecx;
  constexpr unsigned xgetbv_is_allowed = 1U << 27;
  if ((features.basic & xgetbv_is_allowed) != 0) {
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    features.registers = eax;
  }
  return level_of(features);
#else
  return 0;
#endif
}

}  // namespace distil::detail
