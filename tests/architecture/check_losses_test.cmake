# The check of the list of losses must notice whatever is missing: cmake -Droot=<scratch> -P check_losses_test.cmake
cmake_policy(VERSION 3.25)
set(script "${CMAKE_CURRENT_LIST_DIR}/../../cmake/distil_losses.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_script.cmake")

set(files include/distil/response/kl.hpp include/distil/response/divergence.hpp include/distil/response.hpp
          tests/support/cases/kl.hpp tests/response/kl_test.cpp bench/response/kl_bench.cpp tests/core/members_of_losses_test.cpp)

function(write_good_tree)
  foreach(file IN LISTS files)
    write_file(${file} "")
  endforeach()
  write_file(include/distil/response.hpp
             "#include \"distil/response/kl.hpp\"\n#include \"distil/response/divergence.hpp\"\n")
  write_file(tests/support/cases/kl.hpp "loss_case{\"kl\"}\n")
  write_file(tests/core/members_of_losses_test.cpp "\"kl\"\n")
  write_file(tests/losses.cmake "distil_add_loss(response kl)\ndistil_add_door(response divergence)\n\
distil_add_representatives(response kl)\n")
endfunction()

write_good_tree()
expect_passed("a complete tree")

foreach(file IN LISTS files)
  file(REMOVE "${root}/${file}")
  expect_refused("a tree without ${file}" "${file} (is missing|does not have)")
  write_good_tree()
endforeach()

write_file(tests/support/cases/kl.hpp "loss_case{\"reverse_kl\"}\n")
expect_refused("a loss without a case" "cases/kl.hpp does not have \"kl\"; kl is a loss")
write_good_tree()

write_file(include/distil/response.hpp "#include \"distil/response/kl.hpp\"\n")
expect_refused("a door without its line in the umbrella"
               "response.hpp does not have distil/response/divergence.hpp; divergence is a door")
write_good_tree()

write_file(include/distil/feature/orphan.hpp "")
expect_refused("a header on no list" "include/distil/feature/orphan.hpp is not listed")
file(REMOVE "${root}/include/distil/feature/orphan.hpp")

file(APPEND "${root}/tests/losses.cmake" "distil_add_representatives(response divergence)\n")
expect_refused("a representative without a test" "divergence_test.cpp is missing; it is to represent the tests of response")
write_good_tree()

write_file(include/distil/response/divergence/kernel.hpp "")
write_file(include/distil/response.hpp "distil/response/kl.hpp distil/response/divergence/kernel.hpp\n")
file(APPEND "${root}/tests/losses.cmake" "distil_add_door(response divergence/kernel)\n")
expect_refused("a list with a room" "divergence/kernel is in a room; only doors are listed")
