#pragma once

/// The language distil is written in. Headers that include no other of distil include this one, so that a compiler without
/// C++20 meets it before anything that it cannot read.

#if !(__cplusplus >= 202002L || (defined(_MSVC_LANG) && _MSVC_LANG >= 202002L))
#error \
    "distil: this is not C++20. Compile with -std=c++20 (g++ 12, clang 14, or newer), or let CMake do so: \
target_link_libraries(your_target PRIVATE distil::distil)"
// No compiler goes on without a header, and so none reports what follows from the above.
#include <C++20, which distil needs>
#endif
