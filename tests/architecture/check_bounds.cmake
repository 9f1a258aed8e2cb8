# Every loss has a row in its family's page, linked to its header, and the bounds of value and gradient in that row, "16, 32",
# are those of the header. Run by cmake -DROOT=<project> -P.
cmake_policy(VERSION 3.25)

set(bounded_elsewhere swapped_kl)  # by what they are made of

set(problems "")
file(STRINGS "${ROOT}/tests/losses.cmake" losses REGEX "^distil_add_loss")
foreach(line IN LISTS losses)
  string(REGEX MATCH "distil_add_loss\\(([a-z_]+) ([a-z0-9_]+)\\)" found "${line}")
  set(family ${CMAKE_MATCH_1})
  set(loss ${CMAKE_MATCH_2})
  set(page "${ROOT}/include/distil/${family}/README.md")
  set(rows "")
  if(EXISTS "${page}")
    file(STRINGS "${page}" rows ENCODING UTF-8 REGEX "^[|] [[]`[^`]+`[]][(]${loss}[.]hpp[)] [|]")
  endif()
  if(NOT rows)
    string(APPEND problems "\n  ${loss} has no row in include/distil/${family}/README.md")
    continue()
  endif()
  file(READ "${ROOT}/include/distil/${family}/${loss}.hpp" header)
  if(NOT header MATCHES "error_bound bound{[^}]*[.]value = ([0-9]+), [.]gradient = ([0-9]+)")
    if(NOT loss IN_LIST bounded_elsewhere)
      string(APPEND problems "\n  include/distil/${family}/${loss}.hpp does not state its bound in numbers")
    endif()
    continue()
  endif()
  set(bound "${CMAKE_MATCH_1}, ${CMAKE_MATCH_2}")
  string(REGEX REPLACE "^0," "-," bound "${bound}")  # a map, which has no value
  if(NOT rows MATCHES "[|] ${bound}( [(]see contract[)])? [|]")
    string(APPEND problems "\n  include/distil/${family}/README.md does not say that ${loss} is bounded by ${bound}")
  endif()
endforeach()

if(problems)
  message(FATAL_ERROR "The pages of the families do not say what the headers do:\n${problems}\n")
endif()
