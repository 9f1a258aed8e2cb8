#include <distil/response/reverse_kl.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "reverse_kl", 2,
    [](auto policy, auto const& on) {
      return distil::reverse_kl(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::reverse_kl.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
