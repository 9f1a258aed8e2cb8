# How tests, examples and benches are compiled; the library itself carries no flag.
include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

set(DISTIL_ARCH native CACHE STRING "Instruction set of tests, examples and benches: a value of -march, or empty")
set_property(CACHE DISTIL_ARCH PROPERTY STRINGS native x86-64 x86-64-v2 x86-64-v3 x86-64-v4 "")
option(DISTIL_WARNINGS_AS_ERRORS "Treat warnings in tests, examples and benches as errors" OFF)
set(DISTIL_SANITIZE "" CACHE STRING "Sanitizers of tests, examples and benches, such as address,undefined")

# distil_developer_target(<target> [ARCH <arch>]): warnings, sanitizers and instruction set (default DISTIL_ARCH).
function(distil_developer_target target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCH" "")
  if(NOT DEFINED arg_ARCH)
    set(arg_ARCH "${DISTIL_ARCH}")
  endif()

  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion
                                           -Wold-style-cast)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 takes the deliberately undefined registers of its own AVX-512 intrinsics for mistakes.
    target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
  set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR "${DISTIL_WARNINGS_AS_ERRORS}")

  if(arg_ARCH)
    string(MAKE_C_IDENTIFIER "distil_compiler_knows_${arg_ARCH}" known)
    check_cxx_compiler_flag(-march=${arg_ARCH} ${known})
    if(NOT ${known})
      message(FATAL_ERROR "The compiler does not know -march=${arg_ARCH}; set DISTIL_ARCH to a value it knows, or to nothing.")
    endif()
    target_compile_options(${target} PRIVATE -march=${arg_ARCH})
  endif()

  if(DISTIL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${DISTIL_SANITIZE} -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${DISTIL_SANITIZE})
    if(DISTIL_SANITIZE MATCHES address AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
      # The same checks by calls: kernels, which are inline, have so many that they would take most of the compile time.
      target_compile_options(${target} PRIVATE "SHELL:-mllvm -asan-instrumentation-with-call-threshold=0")
    endif()
  endif()
endfunction()
