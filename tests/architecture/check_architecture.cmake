# Holds the headers of a tree to the order of the house: cmake -DROOT=<tree> -P check_architecture.cmake
#   core <- simd <- sweep <- response, core <- simd <- matrix <- the other loss families, all of them <- adapters;
#   schedule, compression and diagnostics stand on core and simd, tuning on core; teachers on all losses; dispatch on core.
# Within a family: a header directly in its folder is a door, which users include; a folder in it is a room, whose headers
# are machinery.
cmake_policy(VERSION 3.25)

set(losses response feature relation contrastive attention)
set(beside schedule compression diagnostics tuning)  # what a run needs around the losses
set(folders core simd sweep matrix dispatch ${losses} ${beside} teachers adapters)

# What the headers of a folder may include, beside the folder itself.
set(below_core "")
set(below_simd core)
set(below_dispatch core)
set(below_sweep core simd)
set(below_matrix core simd)
foreach(folder IN LISTS losses beside)
  set(below_${folder} core simd)
endforeach()
list(APPEND below_response sweep)  # rows of logits are all that is swept
foreach(folder feature relation contrastive attention)  # what they share that needs Eigen
  list(APPEND below_${folder} matrix)
endforeach()
set(below_teachers core simd sweep matrix ${losses})
set(below_adapters ${folders})

set(folders_without_eigen core simd sweep dispatch response schedule compression diagnostics tuning)

# The rooms of a family by floors, the lowest first. A room may include itself and lower ones.
function(place_rooms family)
  set(floor 0)
  foreach(rooms IN LISTS ARGN)
    math(EXPR floor "${floor} + 1")
    string(REPLACE " " ";" rooms "${rooms}")
    foreach(room IN LISTS rooms)
      set(floor_of_${family}/${room} ${floor} PARENT_SCOPE)
    endforeach()
  endforeach()
endfunction()
place_rooms(response "teacher softmax cross_entropy ranking" "divergence distribution sampled"
            "labels top_k temperature coupled binary vocabulary")
place_rooms(feature maps)
place_rooms(relation samples)
place_rooms(contrastive affinity)
place_rooms(attention tokens)

# Doors that rooms above the first floor may include, too, since they call these as users do: functions of logits, and the
# hard half of losses of two. They stand on rooms of the first floor alone.
set(named_faces response/softmax response/log_softmax response/cross_entropy)

# Doors that other doors are composed of, each of those before it in this list at most.
set(composed_of response/cross_entropy response/binary_cross_entropy response/divergence response/forward_kl response/soft_cross_entropy response/mean_of_logits
    response/hinton_kd
    contrastive/contrastive_memory   # a loss that owns one
    relation/similarities)     # a loss that is called with one

set(most_macros 6)

set(problems "")
function(report header text)
  set(problems "${problems}\n  include/distil/${header}: ${text}" PARENT_SCOPE)
endfunction()

# Sets `out` to the parts of `text` that match `pattern`, its first group each.
function(first_groups text pattern out)
  string(REGEX MATCHALL "${pattern}" matches "${text}")
  list(TRANSFORM matches REPLACE "${pattern}" "\\1")
  set(${out} ${matches} PARENT_SCOPE)
endfunction()

# A header in the root of include/distil is the umbrella of the folder of its name, which covers doors and no rooms;
# distil.hpp covers all umbrellas. What explains misuse comes first, so that its messages are short.
function(check_umbrella header includes)
  get_filename_component(name "${header}" NAME_WE)
  foreach(include IN LISTS includes)
    if(include MATCHES "^distil/${name}/.*/")
      report(${header} "covers <${include}>, which is in a room; users include doors")
    elseif(NOT include MATCHES "^distil/(${name}/|core/misuse[.]hpp$)"
           AND NOT (name STREQUAL distil AND include MATCHES "^distil/[a-z_]+[.]hpp$"))
      report(${header} "an umbrella does not include <${include}>")
    endif()
  endforeach()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

function(check_arrows header folder includes)
  foreach(include IN LISTS includes)
    if(NOT include MATCHES "^distil/([a-z_]+)/")
      report(${header} "includes the umbrella <${include}>; name the header that is needed")
    elseif(NOT CMAKE_MATCH_1 STREQUAL folder AND NOT CMAKE_MATCH_1 IN_LIST below_${folder})
      report(${header} "${folder} may not include ${CMAKE_MATCH_1} (<${include}>)")
    endif()
  endforeach()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

# Within a family: `room` is <family>/<room> for a header in a room, empty for a door.
function(check_rooms header family room includes)
  list(FILTER includes INCLUDE REGEX "^distil/${family}/")
  if(room AND NOT floor_of_${room})
    report(${header} "the room ${room} has no floor")
    set(includes "")
  endif()
  string(REGEX REPLACE "[.]hpp$" "" own "${header}")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^distil/(.*)[.]hpp$" "\\1" target "${include}")
    list(FIND composed_of ${target} place)
    list(FIND composed_of ${own} own_place)
    if(target MATCHES "^([a-z_]+/[a-z_]+)/")
      set(other ${CMAKE_MATCH_1})
      if(room AND NOT other STREQUAL room AND NOT floor_of_${other} LESS floor_of_${room})
        report(${header} "the room ${room} may not include ${other}, which is no lower (<${include}>)")
      elseif(own IN_LIST named_faces AND floor_of_${other} GREATER 1)
        report(${header} "a door that rooms include may not include ${other}, which is above the first floor")
      endif()
    elseif(room)
      if(NOT target IN_LIST named_faces OR NOT floor_of_${room} GREATER 1)
        report(${header} "a room may not include the door <${include}>")
      endif()
    elseif(own IN_LIST named_faces)
      report(${header} "a door that rooms include may not include the door <${include}>")
    elseif(place EQUAL -1)
      report(${header} "a door may not include the door <${include}>, which none is composed of")
    elseif(NOT own_place EQUAL -1 AND NOT place LESS own_place)
      report(${header} "a door that others are composed of may not include <${include}>, which comes no earlier")
    endif()
  endforeach()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

set(macros "")
file(GLOB_RECURSE headers RELATIVE "${ROOT}/include/distil" "${ROOT}/include/distil/*.hpp")
if(NOT headers)
  message(FATAL_ERROR "There is no header in ${ROOT}/include/distil.")
endif()
foreach(header IN LISTS headers)
  file(READ "${ROOT}/include/distil/${header}" text)
  string(REPLACE ";" " " text "${text}")
  string(REGEX REPLACE "[][]" " " text "${text}")
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "# *include *\"(distil/[^\"]*)\"" "#include <\\1>" text "${text}")
  get_filename_component(place "${header}" DIRECTORY)
  string(REGEX REPLACE "/.*" "" folder "${place}")

  first_groups("\n${text}" "\n *# *include *<(distil/[^>]*)>" includes)
  list(REMOVE_ITEM includes distil/version.hpp)
  if(text MATCHES "# *include *\"")
    report(${header} "includes by a relative path; begin at distil/")
  endif()
  if(folder STREQUAL "")
    check_umbrella(${header} "${includes}")
  elseif(NOT folder IN_LIST folders)
    report(${header} "the folder ${folder} has no place in the order")
  else()
    check_arrows(${header} ${folder} "${includes}")
    if(folder IN_LIST losses)
      string(REGEX REPLACE "^${folder}$" "" room "${place}")
      check_rooms(${header} ${folder} "${room}" "${includes}")
    elseif(NOT place STREQUAL folder)
      report(${header} "only families of losses have rooms")
    endif()
  endif()

  if(NOT folder STREQUAL simd AND text MATCHES "xsimd")
    report(${header} "names xsimd; only simd/ may")
  endif()
  if(text MATCHES "# *include *<Eigen/" AND (folder STREQUAL "" OR folder IN_LIST folders_without_eigen))
    report(${header} "includes Eigen; core, simd, sweep, dispatch, response, schedule, compression, diagnostics and tuning do without")
  endif()
  if(text MATCHES "<Eigen/Dense>")
    report(${header} "includes <Eigen/Dense>; <Eigen/Core> compiles in a fraction of the time")
  endif()

  # Unless each function hands it on so, a temporary is taken for a matrix that stays, and what is written to it is lost.
  string(REGEX MATCHALL "(Gradient|Output)&& [a-z_]+" written "${text}")
  string(REGEX MATCHALL "std::forward<[A-Za-z]*(Gradient|Output)>" forwarded "${text}")
  list(LENGTH written written)
  list(LENGTH forwarded forwarded)
  if(forwarded LESS written)
    report(${header} "has ${written} parameters Gradient&& or Output&&, but std::forward for ${forwarded}")
  endif()

  first_groups("\n${text}" "\n *# *define +([A-Za-z0-9_]+)" defined)
  first_groups("\n${text}" "\n *# *undef +([A-Za-z0-9_]+)" undefined)
  if(undefined)
    list(REMOVE_ITEM defined ${undefined})
  endif()
  foreach(macro IN LISTS defined)
    if(NOT macro MATCHES "^DISTIL_")
      report(${header} "leaves the macro ${macro} behind; a macro is named DISTIL_ or undefined again")
    endif()
  endforeach()
  list(APPEND macros ${defined})
endforeach()

list(REMOVE_DUPLICATES macros)
list(LENGTH macros count)
if(count GREATER most_macros)
  set(problems "${problems}\n  include/distil: ${count} macros (${macros}); at most ${most_macros} are allowed")
endif()
if(problems)
  message(FATAL_ERROR "The headers do not hold to the order of the house:${problems}")
endif()
