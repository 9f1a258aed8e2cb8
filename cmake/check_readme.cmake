# cmake -P check_readme.cmake <root>: the example that the README shows must be the one that is compiled.
set(root "${CMAKE_ARGV3}")
file(READ "${root}/examples/readme/readme_example.cpp" program)
file(READ "${root}/README.md" readme)
string(REGEX REPLACE ".*// \\[readme\n(.*)// readme\\].*" "\\1" example "${program}")
string(FIND "${readme}" "```cpp\n${example}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "README.md does not show the lines between [readme and readme] of "
                      "examples/readme/readme_example.cpp as they are")
endif()
