# Compiles SOURCE by COMPILER with FLAGS and DISTIL_TEST_TYPE=TYPE into PROGRAM, and runs it: both must succeed.
cmake_policy(VERSION 3.25)
list(TRANSFORM INCLUDES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")

set(flags -std=c++20 -O1 ${FLAGS} -DDISTIL_TEST_TYPE=${TYPE})
execute_process(COMMAND "${COMPILER}" ${flags} ${INCLUDES} ${DEFINITIONS} "${SOURCE}" -o "${PROGRAM}"
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile with ${flags}:\n${output}")
endif()

execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "wrong values with ${COMPILER} ${flags}:\n${output}")
endif()
