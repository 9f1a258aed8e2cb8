# A dispatched program for every machine holds instructions of newer ones only in functions named after those.
#   cmake -DOBJDUMP=<objdump> -DPROGRAM=<program> -P check_instructions.cmake
# Whatever is encoded as AVX begins with v; no older instruction that a compiler emits does.
cmake_policy(VERSION 3.25)

execute_process(COMMAND "${OBJDUMP}" --disassemble --no-show-raw-insn "${PROGRAM}"
                COMMAND awk "/^[0-9a-f]+ <.*>:$/ { name = $2 } /\tv[a-z]/ { count[name] += 1 } /%zmm/ { zmm[name] += 1 }
                             END { for (name in count) print name, count[name] ; for (name in zmm) print name, \"zmm\" }"
                OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" found "${found}")
set(expected ${found})
list(FILTER expected INCLUDE REGEX "[.]x86_64_v4>: zmm$")
set(wrong ${found})
list(FILTER wrong EXCLUDE REGEX "[.]x86_64_v4>: |[.]x86_64_v3>: [0-9]+$")
if(wrong)
  list(JOIN wrong "\n  " wrong)
  message(FATAL_ERROR "${PROGRAM} has functions with instructions that not every machine runs (number of them):\n  ${wrong}")
elseif(NOT expected)
  message(FATAL_ERROR "${PROGRAM} has no function with registers of x86-64-v4")
endif()
