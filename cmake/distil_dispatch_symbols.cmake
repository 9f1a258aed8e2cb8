# What an object defines, as the scripts of dispatch sort it.

# Sets in the caller, from the object's table of symbols:
#   entries    functions that other units may call
#   inlined    weak functions: inline ones and templates, whose code is of one architecture
#   constants  weak data that is read only, such as tables of virtual functions, which point to code
#   shared     weak data that the whole program must share: inline and static variables, type descriptions
#   unique     those of constants and shared that the compiler marked as one in the whole process
#   variables  variables that other units may use
#   resolvers  functions that the loader calls while it loads the program
#   functions  all functions whose names are theirs alone, also local ones
function(distil_read_symbols readelf object)
  execute_process(COMMAND "${readelf}" --wide --section-headers --symbols "${object}"
                  OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "\\[ *([0-9]+)\\]" "\\1" table "${table}")
  string(REGEX REPLACE "[][;]" "_" table "${table}")
  string(REGEX MATCHALL "[^\n]+" table "${table}")
  foreach(kind entries inlined constants shared unique variables resolvers functions undefined)
    set(${kind} "")
  endforeach()

  foreach(line IN LISTS table)
    if(line MATCHES "^ *([0-9]+) ([^ ]+) +[A-Z_]+ +[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +[A-VX-Za-z]*W")
      set(section ${CMAKE_MATCH_1})
      string(FIND "${CMAKE_MATCH_2}" ".data.rel.ro" read_only_once_loaded)
      if(NOT read_only_once_loaded EQUAL 0)
        set(writable_${section} TRUE)
      endif()
    elseif(line MATCHES " UND (.+)$")
      list(APPEND undefined "${CMAKE_MATCH_1}")
    elseif(line MATCHES "^ *[0-9]+: [0-9a-f]+ +[0-9a-fx]+ (FUNC|IFUNC|OBJECT|TLS) +([A-Z]+) +([A-Z]+) +([0-9]+|COM) (.+)$")
      set(type ${CMAKE_MATCH_1})
      set(binding ${CMAKE_MATCH_2})
      set(visibility ${CMAKE_MATCH_3})
      set(section ${CMAKE_MATCH_4})
      set(name "${CMAKE_MATCH_5}")
      if(type STREQUAL IFUNC)
        list(APPEND resolvers "${name}")
      elseif(type STREQUAL FUNC)
        list(APPEND functions "${name}")
        if(binding STREQUAL GLOBAL)
          list(APPEND entries "${name}")
          set(visibility_of_${name} ${visibility} PARENT_SCOPE)
        elseif(NOT binding STREQUAL LOCAL)
          list(APPEND inlined "${name}")
        endif()
      elseif(binding STREQUAL GLOBAL AND NOT section STREQUAL COM)
        list(APPEND variables "${name}")
      elseif(NOT binding STREQUAL LOCAL)
        if(binding STREQUAL UNIQUE)
          list(APPEND unique "${name}")
        endif()
        if(writable_${section} OR section STREQUAL COM OR name MATCHES "^_ZT[IS]")
          list(APPEND shared "${name}")
        else()
          list(APPEND constants "${name}")
        endif()
      endif()
    endif()
  endforeach()
  list(REMOVE_DUPLICATES functions)
  list(REMOVE_ITEM functions ${undefined} "")  # an object's own function may have the name of another object's

  foreach(kind entries inlined constants shared unique variables resolvers functions)
    set(${kind} "${${kind}}" PARENT_SCOPE)
  endforeach()
endfunction()

# The first names of symbols as a person writes them.
function(distil_demangle out)
  list(LENGTH ARGN count)
  if(count GREATER 10)
    list(SUBLIST ARGN 0 10 ARGN)
    list(APPEND ARGN "(${count} in all)")
  endif()
  execute_process(COMMAND c++filt ${ARGN} OUTPUT_VARIABLE names RESULT_VARIABLE status ERROR_QUIET)
  if(NOT status EQUAL 0)
    list(JOIN ARGN "\n" names)
  endif()
  string(STRIP "${names}" names)
  string(REPLACE "\n" "\n  " names "${names}")
  set(${out} "\n  ${names}" PARENT_SCOPE)
endfunction()
