# Run-time dispatch: one program for many machines. Costs nothing to those who do not call it.
include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

# Sets `prefix_out` to the path before "ld.bfd", "objcopy", "readelf" of GNU binutils, or `reason_out` to why there is
# no dispatch on this platform.
function(distil_find_dispatch_tools prefix_out reason_out)
  set(${prefix_out} "" PARENT_SCOPE)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(${reason_out} "the processor is ${CMAKE_SYSTEM_PROCESSOR}; it must be x86_64" PARENT_SCOPE)
    return()
  elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" OR WIN32 OR APPLE)
    set(${reason_out} "it needs g++ or clang, and a system of ELF programs such as Linux" PARENT_SCOPE)
    return()
  endif()

  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" ${CMAKE_CXX_COMPILER_ARG1} -print-prog-name=ld.bfd
                  OUTPUT_VARIABLE linker OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_program(DISTIL_BINUTILS_LD NAMES "${linker}" ld.bfd DOC "GNU ld, which run-time dispatch needs")
  string(REGEX REPLACE "ld[.]bfd$" "" prefix "${DISTIL_BINUTILS_LD}")
  if(NOT EXISTS "${prefix}ld.bfd" OR NOT EXISTS "${prefix}objcopy" OR NOT EXISTS "${prefix}readelf")
    set(${reason_out} "GNU binutils (ld.bfd, objcopy and readelf) are not found" PARENT_SCOPE)
    return()
  endif()
  set(${prefix_out} "${prefix}" PARENT_SCOPE)
endfunction()

# distil_add_objects_like(<name> <target> SOURCES <file>... OPTIONS <option>...): objects compiled as the target's own
# sources are, but for what OPTIONS say in the end.
function(distil_add_objects_like name target)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;OPTIONS")
  add_library(${name} OBJECT ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE "$<TARGET_PROPERTY:${target},LINK_LIBRARIES>")
  target_include_directories(${name} PRIVATE "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  target_compile_definitions(${name} PRIVATE "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
  target_compile_features(${name} PRIVATE "$<TARGET_PROPERTY:${target},COMPILE_FEATURES>")
  target_compile_options(${name} PRIVATE "$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>" ${arg_OPTIONS})
  foreach(property CXX_STANDARD CXX_STANDARD_REQUIRED CXX_EXTENSIONS CXX_VISIBILITY_PRESET VISIBILITY_INLINES_HIDDEN
                   POSITION_INDEPENDENT_CODE COMPILE_WARNING_AS_ERROR EXCLUDE_FROM_ALL)
    get_target_property(value ${target} ${property})
    if(NOT value MATCHES "-NOTFOUND$")
      set_target_properties(${name} PROPERTIES ${property} "${value}")
    endif()
  endforeach()
  get_target_property(type ${target} TYPE)
  if(type MATCHES "SHARED|MODULE")
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
endfunction()

# Compiles the sources once into the target, for the lowest architecture: what is left where dispatch is not possible.
function(distil_add_single_architecture target lowest)
  set(name default)
  set(option "")
  string(MAKE_C_IDENTIFIER "distil_compiler_knows_${lowest}" known)
  check_cxx_compiler_flag(-march=${lowest} ${known})
  if(${known})
    set(name ${lowest})
    set(option -march=${lowest})
  endif()
  distil_add_objects_like(${target}_for_${name} ${target} SOURCES ${ARGN} OPTIONS ${option})
  set(answer "${CMAKE_CURRENT_BINARY_DIR}/${target}_dispatch/active_architecture.cpp")
  file(CONFIGURE OUTPUT "${answer}" @ONLY CONTENT "#include \"distil/dispatch.hpp\"

#if defined(__GNUC__)
[[gnu::weak]]  // another library of the program may answer, too
#endif
std::string_view distil::active_architecture() { return \"@name@\"; }
")
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_for_${name}> "${answer}")
endfunction()

# distil_add_dispatch(<target> SOURCES <file>... [ARCHS <arch>...])
#
# Adds sources to the target, a program or a library that links distil::distil, and compiles them once for each
# architecture: x86-64, x86-64-v2, x86-64-v3, x86-64-v4 (default: all but v2). Every function of theirs that another unit
# can call runs the best version for the machine; the first such call chooses. The environment variable
# DISTIL_FORCE_ARCH forces a choice, and distil::active_architecture() of <distil/dispatch.hpp> tells it. The sources hold
# plain functions, and no variables that other units use; their static variables are initialised with the first call.
# Inline variables are one for the whole program, but those that are constant have an address in each architecture.
#
# Options, definitions and libraries of the target hold for these sources, too, also those that come later; standard,
# visibility and position independence as they are now. Call it once for a target, in the folder of the target.
# Where there is no dispatch the sources are compiled once, for the lowest of the architectures if the compiler knows it.
function(distil_add_dispatch target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ARCHS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "distil_add_dispatch(<target> SOURCES <file>... [ARCHS <arch>...]): "
                        "SOURCES is '${arg_SOURCES}', and not understood is '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type MATCHES "EXECUTABLE|STATIC|SHARED|MODULE")
    message(FATAL_ERROR "distil_add_dispatch: ${target} is of type ${type}; it must be a program, or a static or shared library")
  endif()
  get_target_property(folder ${target} SOURCE_DIR)
  get_target_property(earlier ${target} DISTIL_DISPATCH)
  if(NOT folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "distil_add_dispatch: ${target} is a target of ${folder}; the call must be there")
  elseif(earlier)
    message(FATAL_ERROR "distil_add_dispatch: ${target} is dispatched already; name all SOURCES in one call")
  endif()
  set_target_properties(${target} PROPERTIES DISTIL_DISPATCH ON)

  set(levels x86-64 x86-64-v2 x86-64-v3 x86-64-v4)
  if(NOT arg_ARCHS)
    set(arg_ARCHS x86-64 x86-64-v3 x86-64-v4)
  endif()
  list(SORT arg_ARCHS)
  list(REMOVE_DUPLICATES arg_ARCHS)
  list(GET arg_ARCHS 0 lowest)
  set(unknown "${arg_ARCHS}")
  list(REMOVE_ITEM unknown ${levels})
  list(LENGTH arg_ARCHS count)
  if(unknown AND count GREATER 1)
    message(FATAL_ERROR "distil_add_dispatch: nothing tells at run time whether a machine runs ${unknown}; "
                        "architectures to choose from must be of: ${levels}")
  elseif(unknown)
    distil_add_single_architecture(${target} ${unknown} ${arg_SOURCES})
    return()
  endif()
  distil_find_dispatch_tools(binutils reason)
  if(reason)
    message(STATUS "distil: no run-time dispatch for ${target}, whose kernels are compiled for one architecture: ${reason}")
    distil_add_single_architecture(${target} ${lowest} ${arg_SOURCES})
    return()
  endif()
  string(MAKE_C_IDENTIFIER "${target}" id)
  set(build "${CMAKE_CURRENT_BINARY_DIR}/${target}_dispatch")
  get_property(several_configurations GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(several_configurations)
    string(APPEND build "/$<CONFIG>")
  endif()
  # What is taken apart, or written in assembly, is machine code: no link-time optimisation.
  set(units "")
  set(objects "")
  set(arguments "")
  foreach(arch IN LISTS arg_ARCHS)
    string(MAKE_C_IDENTIFIER "${arch}" suffix)
    set(unit ${target}_for_${suffix})
    distil_add_objects_like(${unit} ${target} SOURCES ${arg_SOURCES} OPTIONS -march=${arch} -fno-lto)
    list(APPEND units ${unit})
    list(APPEND objects $<TARGET_OBJECTS:${unit}>)
    list(APPEND arguments "-DOBJECTS_${arch}=$<TARGET_OBJECTS:${unit}>")
  endforeach()

  set(scripts "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  add_custom_command(
    OUTPUT "${build}/kernels.o" "${build}/entries.cpp"
    COMMAND "${CMAKE_COMMAND}" -DID=${id} "-DARCHS=${arg_ARCHS}" ${arguments} "-DBINUTILS=${binutils}"
            "-DMERGED=${build}/kernels.o" "-DENTRIES=${build}/entries.cpp" -P "${scripts}/distil_dispatch_merge.cmake"
    DEPENDS ${objects} "${scripts}/distil_dispatch_merge.cmake" "${scripts}/distil_dispatch_symbols.cmake"
            "${scripts}/distil_dispatch_entries.cpp.in"
    COMMENT "Joining the kernels of ${target} for ${arg_ARCHS}" VERBATIM)
  distil_add_objects_like(${target}_entries ${target} SOURCES "${build}/entries.cpp" OPTIONS -masm=att -fno-lto)
  # Makefiles know no order between the files of different targets.
  add_dependencies(${target}_entries ${units})
  add_dependencies(${target} ${target}_entries)
  target_sources(${target} PRIVATE "${build}/kernels.o" $<TARGET_OBJECTS:${target}_entries>)
endfunction()
