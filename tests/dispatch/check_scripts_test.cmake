# What distil_add_dispatch refuses, and what the checks of symbols and instructions find.
#   cmake -DBINUTILS=<folder>/<prefix> -DCOMPILER=<compiler> -DINCLUDE=<folder> -DSCRIPTS=<folder> -Droot=<scratch>
#         -P check_scripts_test.cmake
cmake_policy(VERSION 3.25)
file(REMOVE_RECURSE "${root}")
set(archs x86-64 x86-64-v4)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Runs a script on what is named in ARGN, and expects words that match `regex`, or success without any.
function(expect what regex)
  execute_process(COMMAND "${CMAKE_COMMAND}" ${ARGN} RESULT_VARIABLE status ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  set(refused FALSE)
  if(NOT status EQUAL 0)
    set(refused TRUE)
  endif()
  if((regex STREQUAL "" AND refused) OR NOT (regex STREQUAL "" OR refused) OR NOT output MATCHES "${regex}")
    message(SEND_ERROR "${what}: '${regex}' expected, found (${status}):\n${output}")
  endif()
endfunction()

function(compile name source)
  file(WRITE "${root}/${name}.cpp" "${source}")
  foreach(arch IN LISTS archs)
    run("${COMPILER}" -std=c++20 -O0 "-I${INCLUDE}" -march=${arch} -c "${root}/${name}.cpp" -o "${root}/${name}.${arch}.o")
  endforeach()
endfunction()

function(expect_merge name source regex)
  compile(${name} "${source}")
  expect("merge of ${name}" "${regex}" -DID=test "-DARCHS=${archs}" "-DOBJECTS_x86-64=${root}/${name}.x86-64.o"
         "-DOBJECTS_x86-64-v4=${root}/${name}.x86-64-v4.o" -DBINUTILS=${BINUTILS} -DMERGED=${root}/${name}/kernels.o
         -DENTRIES=${root}/${name}/entries.cpp -P "${SCRIPTS}/distil_dispatch_merge.cmake")
endfunction()

function(expect_check object regex)
  expect("check of ${object}" "${regex}" -DREADELF=${BINUTILS}readelf "-DOBJECT=${root}/${object}" "-DARCHS=${archs}"
         -P "${SCRIPTS}/distil_check_dispatch.cmake")
endfunction()

expect_merge(good "inline int twice(int x) { return 2 * x; } int f(int x) { return twice(x); } static int own; int g() { return own; }" "")
expect_check(good/kernels.o "")
expect_merge(variable "int counter = 0; int f() { return counter; }" "no variables; make static.* counter")
expect_merge(constant "extern int const table[] = {1, 2}; int f() { return table[1]; }" "no variables; make static.* table")
expect_merge(nothing "static inline int f() { return 1; }" "no source defines a function")
expect_merge(resolver "extern \"C\" { int one() { return 1; } int (*choose())() { return one; } }
                       int f() __attribute__((ifunc(\"choose\")));" "may not choose among functions while.* f\\(\\)")

# What cannot be meant is refused when a project is configured.
function(expect_configure calls regex)
  file(WRITE "${root}/project/CMakeLists.txt" "cmake_minimum_required(VERSION 3.25)
    project(refused LANGUAGES NONE)
    include(\"${SCRIPTS}/distil_add_dispatch.cmake\")
    add_library(headers INTERFACE)
    add_library(library STATIC file.cpp)
    ${calls}\n")
  expect("${calls}" "${regex}" -S "${root}/project" -B "${root}/project/build")
endfunction()

expect_configure("distil_add_dispatch(library file.cpp)" "not understood is 'file.cpp'")
expect_configure("distil_add_dispatch(library ARCHS x86-64)" "SOURCES is ''")
expect_configure("distil_add_dispatch(headers SOURCES file.cpp)" "INTERFACE_LIBRARY. it must be a program")
expect_configure("distil_add_dispatch(library SOURCES file.cpp ARCHS haswell x86-64)" "machine runs haswell. architectures")
expect_configure("set_target_properties(library PROPERTIES DISTIL_DISPATCH ON)
                  distil_add_dispatch(library SOURCES file.cpp)" "dispatched already")

# Objects as they come from the compiler: an inline function, a table of virtual functions, functions without an ending.
compile(inline_function "inline float twice(float x) { return 2 * x; } float f(float x) { return twice(x); }")
expect_check(inline_function.x86-64-v4.o "offers code.*twice\\(float\\)")
compile(table "struct s { virtual int f() { return 1; } }; static s* make() { return new s; } static s* (*use)() = make;
               static s* (**again)() = &use; namespace { struct t { t() { (*again)(); } } go; }")
expect_check(table.x86-64-v4.o "offers code.*vtable for s")
compile(empty "static int x; static int* y() { return &x; } static auto z = y;")
expect_check(empty.x86-64-v4.o "no function to choose from")

# A program that joins the objects of two architectures with no more care than the linker's.
compile(wide "float sum(float const* x) { float s = 0; for (int i = 0; i < 8; ++i) s += x[i]; return s; } int main() {}")
run("${COMPILER}" "${root}/wide.x86-64-v4.o" -o "${root}/wide")
expect("program with a wide function" "not every machine runs.*sum" -DOBJDUMP=${BINUTILS}objdump -DPROGRAM=${root}/wide
       -P "${CMAKE_CURRENT_LIST_DIR}/check_instructions.cmake")
