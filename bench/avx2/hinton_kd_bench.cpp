#include <distil/response/hinton_kd.hpp>

#include "support/loss.hpp"

// The kernels once more, compiled for AVX2, beside those for this machine's whole instruction set.
namespace {

bool const registered =
    __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
    bench::add_form<float>("hinton_kd",
                           {.name = "gradient", .matrices = 3, .exponentials = 2, .library = "distil_avx2"},
                           [](auto policy, auto const& on) {
                             return distil::hinton_kd.with_grad(policy, on.student, on.teacher, on.labels,
                                                                on.gradient, {.temperature = 4});
                           });

}  // namespace
