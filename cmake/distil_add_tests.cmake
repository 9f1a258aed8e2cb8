# Test executables. Every GoogleTest case becomes a ctest test of its own.
include_guard(GLOBAL)
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

# What the tests of losses share (the suites and how they hold a loss against its reference), compiled once for all of
# their executables, with the same flags.
function(distil_add_suites)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/allocations[.]cpp$")
  add_library(distil_suites STATIC ${sources})
  target_include_directories(distil_suites PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(distil_suites PRIVATE distil::distil GTest::gtest OpenMP::OpenMP_CXX)
  distil_developer_target(distil_suites)
  if(NOT DISTIL_SANITIZE)
    target_compile_definitions(distil_suites PRIVATE DISTIL_TEST_COUNTS_ALLOCATIONS)
  endif()
endfunction()

# distil_add_tests(<name> SOURCES <file>... [LIBRARIES <target>...]): executable <name>_tests, tests <name>.<suite>.<case>
function(distil_add_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  set(target ${name}_tests)
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE distil::distil ${arg_LIBRARIES} GTest::gtest_main OpenMP::OpenMP_CXX)
  distil_developer_target(${target})

  if(name IN_LIST distil_loss_families)
    if(NOT TARGET distil_suites)
      distil_add_suites()
    endif()
    target_link_libraries(${target} PRIVATE distil_suites)
  endif()
  if(name IN_LIST distil_loss_families AND NOT DISTIL_SANITIZE)
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/allocations.cpp")
    target_compile_definitions(${target} PRIVATE DISTIL_TEST_COUNTS_ALLOCATIONS)
  endif()

  # Three precompiled headers for all: GoogleTest from the first executable, the engine of the sweeps, too, from that of the
  # response losses, and that of matrices from that of the feature losses. What the engines are made of is compiled once, in
  # distil_suites. Other libraries may bring flags that do not fit.
  set(donor core_tests)
  set(headers <gtest/gtest.h>)
  if(name IN_LIST distil_loss_families)
    set(donor response_tests)
    list(APPEND headers <cmath> <functional> <limits> <string> <thread> <vector>
         "${PROJECT_SOURCE_DIR}/tests/support/engine.hpp")
    if(NOT name STREQUAL "response")
      set(donor feature_tests)
      list(APPEND headers "${PROJECT_SOURCE_DIR}/tests/support/matrix_engine.hpp")
    endif()
  endif()
  if(target STREQUAL donor)
    target_precompile_headers(${target} PRIVATE ${headers})
  elseif(TARGET ${donor} AND NOT arg_LIBRARIES)
    target_precompile_headers(${target} REUSE_FROM ${donor})
  endif()

  # Threads that wait must not spin: tests share the cores.
  gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# distil_add_script_test(<name> <script> [<variable>=<value>...]): a test that is a CMake script.
function(distil_add_script_test name script)
  list(TRANSFORM ARGN PREPEND -D)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} ${ARGN} -P "${CMAKE_CURRENT_SOURCE_DIR}/${script}")
endfunction()
