# Builds and runs the consumer project in each way that a user may take distil in.

# A user's flags: on AVX-512 they bring warnings of GCC 12's own headers that distil must keep from its user.
set(consumer_flags "")
if(DISTIL_ARCH)
  set(consumer_flags -march=${DISTIL_ARCH})
endif()

# add_consumer_test(<name> <definition>...)
function(add_consumer_test name)
  list(TRANSFORM ARGN PREPEND -D)
  add_test(NAME consumer.${name}
           COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/consumer
                   ${CMAKE_CURRENT_BINARY_DIR}/consumer/${name} --build-generator ${CMAKE_GENERATOR}
                   --build-options -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_BUILD_TYPE=Release
                                   -DCMAKE_CXX_FLAGS=${consumer_flags} ${ARGN}
                   --test-command consumer)
  set_tests_properties(consumer.${name} PROPERTIES LABELS once)
endfunction()

add_consumer_test(add_subdirectory CONSUMER_WAY=add_subdirectory CONSUMER_SOURCE=${PROJECT_SOURCE_DIR})
add_consumer_test(fetch_content CONSUMER_WAY=fetch_content CONSUMER_SOURCE=${PROJECT_SOURCE_DIR})

# The package is installed in one place and moved to another before anybody looks for it.
set(installed ${CMAKE_CURRENT_BINARY_DIR}/consumer/installed)
set(moved ${CMAKE_CURRENT_BINARY_DIR}/consumer/moved)
add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${installed})
add_test(NAME consumer.remove_old COMMAND ${CMAKE_COMMAND} -E rm -rf ${moved})
add_test(NAME consumer.move COMMAND ${CMAKE_COMMAND} -E rename ${installed} ${moved})
set_tests_properties(consumer.install consumer.remove_old PROPERTIES FIXTURES_SETUP installed LABELS once)
set_tests_properties(consumer.move PROPERTIES FIXTURES_REQUIRED installed FIXTURES_SETUP moved LABELS once)

set(find_moved CONSUMER_WAY=find_package CMAKE_PREFIX_PATH=${moved})
set(version ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
math(EXPR next_major "${PROJECT_VERSION_MAJOR} + 1")
add_consumer_test(find_package ${find_moved} CONSUMER_VERSION=${version})
add_consumer_test(find_package_without_optional_packages ${find_moved}
                  CMAKE_DISABLE_FIND_PACKAGE_xsimd=ON CMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON)
add_consumer_test(find_package_of_wrong_version ${find_moved} CONSUMER_VERSION=${next_major})
# What is left out without Eigen is said, when the user configures and when the compiler meets the umbrella.
add_test(NAME consumer.configure_without_eigen
         COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_SOURCE_DIR}/consumer
                 -B ${CMAKE_CURRENT_BINARY_DIR}/consumer/configure_without_eigen -G ${CMAKE_GENERATOR}
                 -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
                 -DCONSUMER_WAY=find_package -DCMAKE_PREFIX_PATH=${moved})
set_tests_properties(consumer.configure_without_eigen PROPERTIES LABELS once FIXTURES_REQUIRED moved
                     PASS_REGULAR_EXPRESSION "distil: no Eigen")
add_test(NAME consumer.compile_without_eigen
         COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -DDISTIL_NO_SIMD
                 -I${PROJECT_SOURCE_DIR}/include -include distil/distil.hpp -x c++ /dev/null)
set_tests_properties(consumer.compile_without_eigen PROPERTIES LABELS once_a_compiler
                     PASS_REGULAR_EXPRESSION "distil: without Eigen" FAIL_REGULAR_EXPRESSION "error:")
# The headers are installed from a machine without any package of distil's development, and with the default options.
set(bare ${CMAKE_CURRENT_BINARY_DIR}/consumer/bare)
set(without GTest benchmark ZLIB OpenMP Threads)
list(TRANSFORM without REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON")
add_test(NAME consumer.configure_without_development_packages
         COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${bare} -G ${CMAKE_GENERATOR}
                 -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${without})
add_test(NAME consumer.install_without_development_packages
         COMMAND ${CMAKE_COMMAND} --install ${bare} --prefix ${bare}/installed)
set_tests_properties(consumer.configure_without_development_packages PROPERTIES LABELS once FIXTURES_SETUP bare
                     PASS_REGULAR_EXPRESSION "no GTest, OpenMP, so the tests are left out.*no Threads, ZLIB, so the examples are left out.*no benchmark, OpenMP, so the benches are left out.*Build files have been written")
set_tests_properties(consumer.install_without_development_packages PROPERTIES LABELS once FIXTURES_REQUIRED bare)
set_tests_properties(consumer.find_package consumer.find_package_without_optional_packages
                     consumer.find_package_of_wrong_version PROPERTIES FIXTURES_REQUIRED moved)
set_tests_properties(consumer.find_package_of_wrong_version PROPERTIES
                     PASS_REGULAR_EXPRESSION "compatible[ \n]+with[ \n]+requested[ \n]+version \"${next_major}\"")
