# The check of bounds must notice a row that is not there or says another bound: cmake -Droot=<scratch> -P check_bounds_test.cmake
cmake_policy(VERSION 3.25)
set(script "${CMAKE_CURRENT_LIST_DIR}/check_bounds.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_script.cmake")

function(write_good_tree)
  write_file(tests/losses.cmake "distil_add_loss(response kl)\n")
  write_file(include/distil/response/kl.hpp
             "static constexpr error_bound bound{\n    .value = 16, .gradient = 32, .temperature_gradient = 2};\n")
  write_file(include/distil/response/README.md "| loss | bound |\n|---|---|\n| [`kl`](kl.hpp) | Σ p | 16, 32 | 2 |\n")
endfunction()

write_good_tree()
expect_passed("a page that says what the header does")

write_file(include/distil/response/README.md "| [`kl`](kl.hpp) | Σ p | 16, 16 | 2 |\n")
expect_refused("another bound" "does not say that kl is bounded by 16, 32")

write_file(include/distil/response/README.md "| `kl` | Σ p | 16, 32 | 2 |\n")
expect_refused("a row without a link" "kl has no row in include/distil/response/README.md")

write_good_tree()
write_file(include/distil/response/kl.hpp "static constexpr error_bound bound = other;\n")
expect_refused("a bound that nobody can compare" "kl.hpp does not state its bound in numbers")

write_good_tree()
file(REMOVE "${root}/include/distil/response/README.md")
expect_refused("no page" "kl has no row in include/distil/response/README.md")
