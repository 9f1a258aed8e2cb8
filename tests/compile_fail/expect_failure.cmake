# Compiles SOURCE twice by COMPILER: it must compile as it is, and fail with its message under DISTIL_EXPECT_FAILURE=1.
cmake_policy(VERSION 3.25)

# Sets `out` to what follows "// <key>: " in SOURCE.
function(read_comment key out)
  file(STRINGS "${SOURCE}" line REGEX "^// ${key}: ")
  string(REGEX REPLACE "^// ${key}: " "" line "${line}")
  set(${out} "${line}" PARENT_SCOPE)
endfunction()

list(TRANSFORM INCLUDES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)

function(compile status_out output_out)
  execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} ${DEFINITIONS} ${ARGN} "${SOURCE}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(${status_out} ${status} PARENT_SCOPE)
  set(${output_out} "${output}" PARENT_SCOPE)
endfunction()

read_comment(expect message)
read_comment(flags flags)
separate_arguments(flags UNIX_COMMAND "${flags}")
if(message STREQUAL "")
  message(FATAL_ERROR "${SOURCE} does not say what to expect")
endif()

compile(status output -DDISTIL_EXPECT_FAILURE=0)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile as it is:\n${output}")
endif()

compile(status output -DDISTIL_EXPECT_FAILURE=1 ${flags})
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must be refused, but compiles")
elseif(NOT output MATCHES "error: [^\n]*(${message})")
  message(FATAL_ERROR "${SOURCE} was refused without the words '${message}':\n${output}")
endif()
