# The list of losses, and the check that no loss exists unlisted, untested or unmeasured.
# Runs at configure, and on any tree by `cmake -DROOT=<tree> -P cmake/distil_losses.cmake`.
cmake_policy(VERSION 3.25)

set(distil_loss_families response feature relation contrastive attention)

function(distil_loss_problem text)
  set_property(GLOBAL APPEND_STRING PROPERTY distil_loss_problems "\n  ${text}")
endfunction()

function(distil_expect_file path reason)
  if(NOT EXISTS "${distil_root}/${path}")
    distil_loss_problem("${path} is missing; ${reason}")
  endif()
endfunction()

function(distil_expect_text path text reason)
  set(content "")
  if(EXISTS "${distil_root}/${path}")
    file(READ "${distil_root}/${path}" content)
  endif()
  string(FIND "${content}" "${text}" position)
  if(position EQUAL -1)
    distil_loss_problem("${path} does not have ${text}; ${reason}")
  endif()
endfunction()

# distil_add_door(<family> <name>): a header that users include and that holds no loss; it has an umbrella line.
function(distil_add_door family name)
  if(name MATCHES "/")
    distil_loss_problem("${name} is in a room; only doors are listed")
  endif()
  distil_expect_file(include/distil/${family}/${name}.hpp "tests/losses.cmake lists it")
  distil_expect_text(include/distil/${family}.hpp distil/${family}/${name}.hpp "${name} is a door")
  set_property(GLOBAL APPEND PROPERTY distil_listed_headers ${family}/${name}.hpp)
endfunction()

# distil_add_loss(<family> <name>): a header with a loss: a door with a case, a test and a bench.
function(distil_add_loss family name)
  distil_add_door(${family} ${name})
  set(reason "${name} is a loss")
  distil_expect_text(tests/support/cases/${name}.hpp "\"${name}\"" "${reason}")
  distil_expect_file(tests/${family}/${name}_test.cpp "${reason}")
  distil_expect_text(tests/core/members_of_losses_test.cpp "\"${name}\"" "${reason}")
  distil_expect_file(bench/${family}/${name}_bench.cpp "${reason}")
endfunction()

# distil_add_representatives(<family> <name>...): tests/<family>/<name>_test.cpp stands for others of the family where a
# leg of CI does without some.
function(distil_add_representatives family)
  foreach(name IN LISTS ARGN)
    distil_expect_file(tests/${family}/${name}_test.cpp "it is to represent the tests of ${family}")
    set_property(GLOBAL APPEND PROPERTY distil_representatives ${family}/${name})
  endforeach()
endfunction()

# distil_add_memory_users(<family> <name>...): tests/<family>/<name>_test.cpp is of a loss that handles memory by itself, which
# is what the sanitizers look at.
function(distil_add_memory_users family)
  foreach(name IN LISTS ARGN)
    distil_expect_file(tests/${family}/${name}_test.cpp "it is to be run by the sanitizers")
    set_property(GLOBAL APPEND PROPERTY distil_memory_users ${family}/${name})
  endforeach()
endfunction()

function(distil_check_losses distil_root)
  include("${distil_root}/tests/losses.cmake")
  get_property(listed GLOBAL PROPERTY distil_listed_headers)
  foreach(family IN LISTS distil_loss_families)
    file(GLOB headers RELATIVE "${distil_root}/include/distil" "${distil_root}/include/distil/${family}/*.hpp")
    foreach(header IN LISTS headers)
      if(NOT header IN_LIST listed)
        distil_loss_problem("include/distil/${header} is not listed; add it to tests/losses.cmake by \
distil_add_loss, or by distil_add_door when it holds no loss")
      endif()
    endforeach()
  endforeach()
  get_property(problems GLOBAL PROPERTY distil_loss_problems)
  if(problems)
    message(FATAL_ERROR "The list of losses does not hold:${problems}")
  endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  distil_check_losses("${ROOT}")
endif()
