# Which tests a build has. Most legs of CI do without some: instruction sets and compilers differ in what the losses share,
# which few losses show as well as all. CONTRIBUTING.md ("What CI runs") says which leg has what, and why.
include_guard(GLOBAL)

set(DISTIL_TEST_LOSSES every CACHE STRING "Tests of losses: every; every_in_float, where suites are run in float alone; \
every_in_double, where those of representatives are run in both types; representative, see tests/losses.cmake")
set_property(CACHE DISTIL_TEST_LOSSES PROPERTY STRINGS every every_in_float every_in_double representative)
set(DISTIL_TEST_FOLDERS "" CACHE STRING "Folders of tests/ that are built, such as core;simd;response; empty: all")

if(NOT DISTIL_TEST_LOSSES MATCHES "^(every|every_in_float|every_in_double|representative)$")
  message(FATAL_ERROR "DISTIL_TEST_LOSSES is '${DISTIL_TEST_LOSSES}'; it must be every, every_in_float, every_in_double \
or representative")
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
  set(chosen "")
  foreach(source IN LISTS ${sources_variable})
    string(REGEX REPLACE "^.*/([^/]+)_test[.]cpp$" "\\1" name "${source}")
    set(of_losses FALSE)
    if(folder IN_LIST distil_loss_families OR folder STREQUAL adapters)
      set(of_losses TRUE)
    endif()
    if(of_losses AND DISTIL_TEST_LOSSES STREQUAL representative AND NOT ${folder}/${name} IN_LIST representatives)
      continue()
    elseif(of_losses AND DISTIL_TEST_LOSSES STREQUAL every_in_float)
      if(name MATCHES "^(vectors(_.*)?|refusals)$")  # numbers and messages, in every form of many losses
        continue()
      endif()
      set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS DISTIL_TEST_IN_FLOAT)
    elseif(of_losses AND DISTIL_TEST_LOSSES STREQUAL every_in_double)
      if(${folder}/${name} IN_LIST representatives)  # as users compile them; their headers precompiled are not
        set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
      else()
        set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS DISTIL_TEST_IN_DOUBLE)
      endif()
    endif()
    list(APPEND chosen "${source}")
  endforeach()
  set(${sources_variable} "${chosen}" PARENT_SCOPE)
endfunction()
