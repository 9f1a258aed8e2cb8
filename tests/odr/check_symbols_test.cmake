# The check of symbols must find a function that leaks an instruction set.
#   cmake -DOBJDUMP=<objdump> -DCOMPILER=<compiler> -Droot=<scratch> -P check_symbols_test.cmake
cmake_policy(VERSION 3.25)

set(kernel "namespace distil::inline arch_avx2 { template <class T> T kernel(T x) { return x + 1; } }\n")
set(face "namespace distil { struct loss_fn { template <class T> T operator()(T x) const { return kernel(x); } }; }\n")
string(REPLACE "namespace distil {" "namespace distil::inline arch_avx2 {" tagged_face "${face}")
set(wide "namespace distil { inline void add(float* x) { *(float __attribute__((vector_size(32)))*)x += 1; } }\n")
set(call "float call(float x) { return distil::loss_fn{}(x); }\n")

# Compiles `source` and expects the check to end with words that match `regex`, or without a word.
function(expect name source regex)
  file(WRITE "${root}/${name}.cpp" "${source}")
  execute_process(COMMAND "${COMPILER}" -std=c++20 -O0 -mavx2 -c "${root}/${name}.cpp" -o "${root}/${name}.o"
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${CMAKE_COMMAND}" -DOBJDUMP=${OBJDUMP} -DOBJECTS=${root}/${name}.o
                          -P "${CMAKE_CURRENT_LIST_DIR}/check_symbols.cmake"
                  RESULT_VARIABLE status ERROR_VARIABLE output)
  if(regex STREQUAL "" AND NOT status EQUAL 0 OR NOT output MATCHES "${regex}")
    message(SEND_ERROR "${name}: '${regex}' expected, found (${status}):\n${output}")
  endif()
endfunction()

expect(tagged "${kernel}${tagged_face}${call}" "")
expect(shared_caller "${kernel}${face}${call}" "distil::loss_fn::operator.*distil::arch_avx2::kernel")
expect(wide_registers "${kernel}${tagged_face}${call}${wide}void use(float* x) { distil::add(x); }" "distil::add.*ymm")
expect(nothing "int main() {}" "No function carries")
