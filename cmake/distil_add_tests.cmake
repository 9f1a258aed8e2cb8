# Test executables. Every GoogleTest case becomes a ctest test of its own.
include_guard(GLOBAL)
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

# distil_add_tests(<name> SOURCES <file>... [LIBRARIES <target>...]): executable <name>_tests, tests <name>.<suite>.<case>
function(distil_add_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  set(target ${name}_tests)
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE distil::distil ${arg_LIBRARIES} GTest::gtest_main OpenMP::OpenMP_CXX)
  distil_developer_target(${target})

  # The first executable precompiles GoogleTest for all; other libraries may bring flags that do not fit.
  if(TARGET core_tests AND NOT name STREQUAL core AND NOT arg_LIBRARIES)
    target_precompile_headers(${target} REUSE_FROM core_tests)
  elseif(name STREQUAL core)
    target_precompile_headers(${target} PRIVATE <gtest/gtest.h>)
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
