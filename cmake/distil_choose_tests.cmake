# Which tests a build has. Instruction sets and compilers differ in what the losses share, so that most legs of CI are
# content with those that stand for all: `distil_add_representatives` in tests/losses.cmake. CONTRIBUTING.md has the table.
include_guard(GLOBAL)

set(DISTIL_TEST_LOSSES every CACHE STRING "Losses that are tested: every; every_in_float, where only the representative \
ones are tested in double and 16-bit types, too; representative")
set_property(CACHE DISTIL_TEST_LOSSES PROPERTY STRINGS every every_in_float representative)
set(DISTIL_TEST_FOLDERS "" CACHE STRING "Folders of tests/ that are built, such as core;simd;response; empty: all")

if(NOT DISTIL_TEST_LOSSES MATCHES "^(every|every_in_float|representative)$")
  message(FATAL_ERROR "DISTIL_TEST_LOSSES is '${DISTIL_TEST_LOSSES}'; it must be every, every_in_float or representative")
endif()

# Whether the tests of a folder are built.
function(distil_tests_folder folder answer)
  if(NOT DISTIL_TEST_FOLDERS OR folder IN_LIST DISTIL_TEST_FOLDERS)
    set(${answer} TRUE PARENT_SCOPE)
  else()
    set(${answer} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Takes from a list of <folder>/<name>_test.cpp what this build does without.
function(distil_choose_tests sources_variable)
  get_property(others GLOBAL PROPERTY distil_losses)
  get_property(representative GLOBAL PROPERTY distil_representative_losses)
  list(REMOVE_ITEM others ${representative})
  set(chosen "")
  foreach(source IN LISTS ${sources_variable})
    string(REGEX REPLACE "^.*/([^/]+/[^/]+)_test[.]cpp$" "\\1" name "${source}")
    if(DISTIL_TEST_LOSSES STREQUAL representative AND name IN_LIST others)
      continue()
    elseif(DISTIL_TEST_LOSSES STREQUAL every_in_float AND (name IN_LIST others OR name MATCHES "^adapters/"))
      set_source_files_properties("${source}" PROPERTIES COMPILE_DEFINITIONS DISTIL_TEST_IN_FLOAT)
    endif()
    list(APPEND chosen "${source}")
  endforeach()
  if(NOT DISTIL_TEST_LOSSES STREQUAL every)
    # Both have every form of many losses, and nothing of theirs depends on the machine.
    list(FILTER chosen EXCLUDE REGEX "/response/(allocation|vectors)_test[.]cpp$")
  endif()
  if(DISTIL_TEST_LOSSES STREQUAL representative)
    list(FILTER chosen EXCLUDE REGEX "/response/refusals_test[.]cpp$")
  endif()
  if(DISTIL_SANITIZE)  # their allocator would replace that of the sanitizers in part
    list(FILTER chosen EXCLUDE REGEX "/allocation_test[.]cpp$")
  endif()
  set(${sources_variable} "${chosen}" PARENT_SCOPE)
endfunction()
