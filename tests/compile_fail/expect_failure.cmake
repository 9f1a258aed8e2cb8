# Compiles SOURCE twice by COMPILER: it must compile as it is, and fail with its messages under DISTIL_EXPECT_FAILURE=1.
cmake_policy(VERSION 3.25)

# Sets `out` to what follows each "// <key>: " in SOURCE.
function(read_comments key out)
  file(STRINGS "${SOURCE}" lines REGEX "^// ${key}: ")
  list(TRANSFORM lines REPLACE "^// ${key}: " "")
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

list(TRANSFORM INCLUDES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)

function(compile status_out output_out)
  execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} ${DEFINITIONS} ${ARGN} "${SOURCE}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(${status_out} ${status} PARENT_SCOPE)
  set(${output_out} "${output}" PARENT_SCOPE)
endfunction()

read_comments(expect messages)
read_comments(flags flags)
separate_arguments(flags UNIX_COMMAND "${flags}")
if(NOT messages)
  message(FATAL_ERROR "${SOURCE} does not say what to expect")
endif()

compile(status output -DDISTIL_EXPECT_FAILURE=0)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile as it is:\n${output}")
endif()

compile(status output -DDISTIL_EXPECT_FAILURE=1 ${flags})
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must be refused, but compiles")
endif()
foreach(message IN LISTS messages)
  if(NOT output MATCHES "error: [^\n]*(${message})")
    message(FATAL_ERROR "${SOURCE} was refused without the words '${message}':\n${output}")
  endif()
endforeach()
