// expect: there is no <xsimd/xsimd.hpp>. Install xsimd 8.1
// flags: -UDISTIL_NO_SIMD
// hidden: xsimd/xsimd.hpp
// errors: 2
#include <distil/response/log_sum_exp.hpp>

int main() {}
