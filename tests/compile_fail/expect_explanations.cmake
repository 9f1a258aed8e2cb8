# Compiles SOURCE by COMPILER: it must compile as it is, and fail under each DISTIL_EXPECT_FAILURE=<number> for which it has
# a comment "// <number>: <regex>", with one error, of these words, in at most 12 lines.
cmake_policy(VERSION 3.25)

list(TRANSFORM INCLUDES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)

function(compile number)
  execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} ${DEFINITIONS}
                          -DDISTIL_EXPECT_FAILURE=${number} "${SOURCE}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(status ${status} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

compile(0)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile as it is:\n${output}")
endif()

file(STRINGS "${SOURCE}" cases REGEX "^// [0-9]+: ")
if(NOT cases)
  message(FATAL_ERROR "${SOURCE} does not say what to expect")
endif()
foreach(case IN LISTS cases)
  string(REGEX MATCH "^// ([0-9]+): (.*)$" found "${case}")
  set(number ${CMAKE_MATCH_1})
  set(words "${CMAKE_MATCH_2}")
  compile(${number})
  if(status EQUAL 0)
    message(FATAL_ERROR "Case ${number} of ${SOURCE} must be refused, but compiles")
  endif()
  string(REGEX MATCHALL "error: [^\n]*" errors "${output}")
  list(LENGTH errors error_count)
  string(REGEX MATCHALL "\n" lines "${output}")
  list(LENGTH lines line_count)
  if(NOT error_count EQUAL 1 OR NOT errors MATCHES "${words}")
    message(FATAL_ERROR "Case ${number} of ${SOURCE} was refused without the words '${words}' alone:\n${output}")
  endif()
  if(line_count GREATER 12)
    message(FATAL_ERROR "Case ${number} of ${SOURCE} says ${line_count} lines, not 12 at most:\n${output}")
  endif()
endforeach()
