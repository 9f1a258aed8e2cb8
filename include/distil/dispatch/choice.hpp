#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "distil/core/contract.hpp"
#include "distil/dispatch/processor.hpp"

/// Which of the architectures that a program was built for it shall run. Called by what `distil_add_dispatch`
/// generates.
namespace distil::detail {

/// "x86-64, x86-64-v3 or x86-64-v4"
inline std::string one_of(std::span<std::string_view const> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text.append(i + 1 < names.size() ? ", " : " or ");
    text.append(names[i]);
  }
  return text;
}

/// The index of `forced`, or of the best one that a machine of `level` runs. `built` rises.
inline std::size_t choose_architecture(std::span<std::string_view const> built, int level,
                                       std::string_view forced) {
  std::size_t runs = 0;
  while (runs < built.size() && level_named(built[runs]) <= level) ++runs;
  std::string_view const machine = level > 0 ? processor_levels[level - 1] : "unknown";
  require(runs > 0, "dispatch", "the level of this machine", machine,
          [&] { return one_of(built) + ", for which the program is built"; });
  if (forced.empty()) return runs - 1;

  std::size_t index = 0;
  while (index < built.size() && built[index] != forced) ++index;
  require(index < built.size(), "dispatch", "DISTIL_FORCE_ARCH", forced,
          [&] { return one_of(built) + ", for which the program is built"; });
  require(index < runs, "dispatch", "DISTIL_FORCE_ARCH", forced, [&] {
    return one_of(built.first(runs)) + ", which this machine of level " + std::string(machine) + " runs";
  });
  return index;
}

}  // namespace distil::detail
