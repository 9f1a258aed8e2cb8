# A function that units for different instruction sets share (its name has no arch_ tag) must not reach code of one
# set: neither by a call to a tagged function or to xsimd, nor by the wide registers.
#   cmake -DOBJDUMP=<objdump> "-DOBJECTS=<object>;..." -P check_symbols.cmake
cmake_policy(VERSION 3.25)

set(problems "")
set(tagged 0)
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${OBJDUMP}" --disassemble --reloc --demangle --no-show-raw-insn "${object}"
                  COMMAND grep -E "^[0-9a-f]+ <|R_[A-Z0-9_]+.*(::arch_|xsimd::)|%[yz]mm"
                  OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "[][;]" "_" lines "${lines}")
  string(REGEX MATCHALL "[^\n]+" lines "${lines}")
  set(function "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^[0-9a-f]+ <(.*)>:$")
      set(function "${CMAKE_MATCH_1}")
      if(function MATCHES "::arch_")
        math(EXPR tagged "${tagged} + 1")
        set(function "")
      elseif(NOT function MATCHES "distil::")
        set(function "")
      endif()
    elseif(NOT function STREQUAL "")
      string(STRIP "${line}" line)
      string(APPEND problems "\n  ${function}\n    ${line}")
      set(function "")
    endif()
  endforeach()
endforeach()

if(problems)
  message(FATAL_ERROR "Functions without an arch_ tag reach code of one instruction set:${problems}")
elseif(tagged EQUAL 0)
  message(FATAL_ERROR "No function carries an arch_ tag: ${OBJECTS}")
endif()
