# The check of the order of options must notice what is out of it: cmake -Droot=<scratch> -P check_options_test.cmake
cmake_policy(VERSION 3.25)
set(script "${CMAKE_CURRENT_LIST_DIR}/check_options.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_script.cmake")

set(header include/distil/response/kl.hpp)
function(write_options)
  list(TRANSFORM ARGN PREPEND "  ")
  list(TRANSFORM ARGN APPEND "\\;\n\n")
  list(JOIN ARGN "" members)
  write_file(${header} "struct kl_options {\n${members}};\n")
endfunction()

expect_refused("a tree without options" "There are no options")

set(temperature "row_parameter temperature = 1")
set(teacher "std::optional<row_parameter> teacher_temperature = std::nullopt")
set(squared "bool scale_by_temperature_squared = true")
set(factor "std::optional<row_parameter> factor = std::nullopt")
set(rows "row_options rows = {}")
set(accumulate "bool accumulate = false")
set(gradient "std::span<double> temperature_gradient = {}")

write_options("${temperature}" "${teacher}" "${squared}" "${factor}" "double skew = 0.1" "${rows}" "${accumulate}" "${gradient}")
expect_passed("the order")
write_options("kind factor = kind::one" "through gradient = through::plan" "kind weights = kind::one" "double last" "row_parameter weights = 1"
              "${accumulate}")
expect_passed("options that mean something else by a name")

write_options("double skew = 0.1" "${temperature}" "${rows}")
expect_refused("an option of the loss's own before the temperature" "kl.hpp: kl_options: temperature comes after skew")
write_options("${temperature}" "${gradient}" "${rows}")
expect_refused("an output before the rows" "rows comes after temperature_gradient")
write_options("${temperature}" "${factor}" "${squared}")
expect_refused("the factor before the switch" "scale_by_temperature_squared comes after factor")
write_options("${teacher}" "${temperature}")
expect_refused("the teacher's temperature first" "temperature comes after teacher_temperature")
write_options("${accumulate}" "${rows}")
expect_refused("accumulate before the rows" "rows comes after accumulate")
