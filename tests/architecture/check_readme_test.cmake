# The check of the pages must notice what is not compiled, not linked, or not there:
# cmake -Droot=<scratch> -P check_readme_test.cmake
cmake_policy(VERSION 3.25)
set(script "${CMAKE_CURRENT_LIST_DIR}/../../cmake/check_readme.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_script.cmake")

set(page "# One\n\n[`kl`](include/distil/response/kl.hpp), [there](https://example.org), [below](#losses)\n\n\
```cpp\nauto const one = kl(a,\n                    b);  // [both]\nreturn one;\n```\n")

function(write_good_tree)
  write_file(README.md "${page}")
  write_file(include/distil/response/kl.hpp "")
  write_file(include/distil/response/README.md "[`kl`](kl.hpp)\n```sh\nls\n```\n")
  write_file(examples/readme/pages.cpp "int f() {\n  auto const one =\n      kl(a, b);  // [both]\n  return one;\n}\n")
  write_file(tests/losses.cmake "distil_add_loss(response kl)  # a loss\ndistil_add_door(response divergence)\n")
endfunction()

write_good_tree()
expect_passed("pages of which all is compiled")

write_file(examples/readme/pages.cpp "int f() {\n  auto const one = kl(a, c);  // [both]\n  return one;\n}\n")
expect_refused("lines that are not compiled" "README.md shows lines that no source.*auto const one = kl")
write_good_tree()

write_file(include/distil/response/README.md "```cpp\nreturn one;\n```\n```cpp\nreturn two;\n```\n")
expect_refused("a second block that is not compiled" "response/README.md shows lines.*return two")
write_good_tree()

write_file(include/distil/response/README.md "[`kl`](kl_divergence.hpp)\n")
expect_refused("a link to nothing" "response/README.md links to kl_divergence.hpp, which does not exist")
write_good_tree()

file(APPEND "${root}/tests/losses.cmake" "distil_add_loss(response hinton_kd)\n")
expect_refused("a loss without a link" "README.md has no link to include/distil/response/hinton_kd.hpp")
write_good_tree()

string(REPEAT "more\n" 200 more)
write_file(README.md "${page}${more}")
expect_refused("a README that is long" "README.md has 20[0-9] lines; it must have at most 200")
