# Which tests a build has. Most legs of CI do without some: instruction sets and compilers differ in what the losses share,
# which few losses show as well as all. CONTRIBUTING.md ("What CI runs") says which leg has what, and why.
include_guard(GLOBAL)

set(DISTIL_TEST_LOSSES every CACHE STRING "Tests of losses: every; every_in_double, where those of representatives are run \
in float, too; every_in_float; memory_in_float, of the response family those that handle memory; \
representative, see tests/losses.cmake; these alone in one type, representative_in_float and representative_in_double")
set(distil_test_choices every every_in_double every_in_float memory_in_float representative representative_in_float
    representative_in_double)
set_property(CACHE DISTIL_TEST_LOSSES PROPERTY STRINGS ${distil_test_choices})
set(DISTIL_TEST_FOLDERS "" CACHE STRING "Folders of tests/ that are built, such as core;simd;sweep;response; empty: all")

if(NOT DISTIL_TEST_LOSSES IN_LIST distil_test_choices)
  list(JOIN distil_test_choices ", " distil_test_choices)
  message(FATAL_ERROR "DISTIL_TEST_LOSSES is '${DISTIL_TEST_LOSSES}'; it must be one of ${distil_test_choices}")
endif()

# Whether the tests of a folder are built.
function(distil_tests_folder folder answer)
  if(NOT DISTIL_TEST_FOLDERS OR folder IN_LIST DISTIL_TEST_FOLDERS)
    set(${answer} TRUE PARENT_SCOPE)
  else()
    set(${answer} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Takes from the sources of a folder, each <name>_test.cpp, what this build does without.
function(distil_choose_tests folder sources_variable)
  get_property(representatives GLOBAL PROPERTY distil_representatives)
  get_property(memory_users GLOBAL PROPERTY distil_memory_users)
  set(chosen "")
  foreach(source IN LISTS ${sources_variable})
    string(REGEX REPLACE "^.*/([^/]+)_test[.]cpp$" "\\1" name "${source}")
    set(represents FALSE)
    if(${folder}/${name} IN_LIST representatives)
      set(represents TRUE)
    endif()
    if(NOT folder IN_LIST distil_loss_families AND NOT folder STREQUAL adapters)
      list(APPEND chosen "${source}")
      continue()
    endif()
    if(DISTIL_TEST_LOSSES MATCHES "^representative" AND NOT represents)
      continue()
    elseif(DISTIL_TEST_LOSSES STREQUAL memory_in_float)
      if(name MATCHES "^(vectors(_.*)?|refusals)$")  # numbers and messages, in every form of many losses
        continue()
      elseif(folder STREQUAL response AND NOT ${folder}/${name} IN_LIST memory_users)
        continue()
      endif()
    endif()
    if(DISTIL_TEST_LOSSES MATCHES "_in_float$")
      set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS DISTIL_TEST_IN_FLOAT)
    elseif(DISTIL_TEST_LOSSES STREQUAL representative_in_double
           OR (DISTIL_TEST_LOSSES STREQUAL every_in_double AND NOT represents))
      set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS DISTIL_TEST_IN_DOUBLE)
    endif()
    list(APPEND chosen "${source}")
  endforeach()
  set(${sources_variable} "${chosen}" PARENT_SCOPE)
endfunction()
