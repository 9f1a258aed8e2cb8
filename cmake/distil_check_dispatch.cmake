# What distil_add_dispatch joined must not offer code to the linker, but for the functions that are chosen from.
#   cmake -DREADELF=<readelf> -DOBJECT=<object> "-DARCHS=<arch>;..." -P distil_check_dispatch.cmake
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/distil_dispatch_symbols.cmake")

distil_read_symbols("${READELF}" "${OBJECT}")
string(REGEX REPLACE "[^A-Za-z0-9;]" "_" suffixes "${ARCHS}")
list(JOIN suffixes "|" suffixes)
set(chosen_from ${entries})
list(FILTER chosen_from INCLUDE REGEX "[.](${suffixes})$")
list(FILTER entries EXCLUDE REGEX "[.](${suffixes})$")

set(problems ${entries} ${inlined} ${constants} ${unique} ${variables} ${resolvers})
if(problems)
  distil_demangle(names ${problems})
  message(FATAL_ERROR "${OBJECT} offers code of one architecture, or data that leads to it, to the whole program:${names}")
elseif(NOT chosen_from)
  message(FATAL_ERROR "${OBJECT} has no function to choose from for ${ARCHS}")
endif()
