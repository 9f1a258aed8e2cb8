#pragma once

#include <string_view>

#include "distil/core/language.hpp"

namespace distil {

/// The architecture whose kernels this program or shared library calls, by its name for `-march`: "x86-64-v3".
///
/// There is one where `distil_add_dispatch` of the CMake package built kernels for several architectures; the
/// first call of this function or of a dispatched one makes the choice, once and for all threads: the best that
/// the machine runs, or what the environment variable DISTIL_FORCE_ARCH names. "default" where the kernels are
/// built once, with the compiler's own choice. Each dispatched library of a program chooses among its own
/// architectures; the answer is that of the one which the linker met first.
///
/// @throws    std::invalid_argument when DISTIL_FORCE_ARCH names an architecture that is not built or that the
///            machine does not run, or when it runs none that is built; so do the dispatched functions
std::string_view active_architecture();

}  // namespace distil
