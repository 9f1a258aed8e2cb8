# What distil uses when it is there: xsimd for speed, Eigen for the families built on matrix algebra.
# One file for the build tree and the installed package, so that both answer alike.
# No version is asked of find_package: the version files of both refuse newer majors, and every range.

# Lets `target` include an optional header-only package, unless that is missing or too old; says so in `used_out`.
function(distil_use_headers target package package_target oldest used_out)
  if(NOT TARGET ${package_target})
    find_package(${package} CONFIG QUIET)
  endif()
  set(${used_out} FALSE PARENT_SCOPE)
  if(TARGET ${package_target} AND DEFINED ${package}_VERSION AND ${package}_VERSION VERSION_LESS oldest)
    message(STATUS "distil: ${package} ${${package}_VERSION} is not used; it must be ${oldest} or newer")
  elseif(TARGET ${package_target})
    # Only the folders: Debian's xsimd target links a library that its package does not bring.
    # BUILD_INTERFACE: whether the package is there is decided anew where distil is installed.
    get_target_property(folders ${package_target} INTERFACE_INCLUDE_DIRECTORIES)
    target_include_directories(${target} SYSTEM INTERFACE "$<BUILD_INTERFACE:${folders}>")
    set(${used_out} TRUE PARENT_SCOPE)
  endif()
endfunction()

function(distil_use_dependencies target)
  distil_use_headers(${target} Eigen3 Eigen3::Eigen 3.4 uses_eigen)
  if(NOT uses_eigen)
    message(STATUS "distil: no Eigen, so <distil/distil.hpp> leaves out the families whose losses multiply matrices")
  endif()
  distil_use_headers(${target} xsimd xsimd 8.1 uses_xsimd)
  if(NOT uses_xsimd)
    target_compile_definitions(${target} INTERFACE DISTIL_NO_SIMD)
    message(STATUS "distil: no xsimd, so every loss is computed without SIMD, several times slower")
  endif()
endfunction()
