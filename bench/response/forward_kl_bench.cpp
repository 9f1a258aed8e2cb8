#include <distil/response/forward_kl.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "forward_kl", 2,
    [](auto policy, auto const& on) {
      return distil::forward_kl(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::forward_kl.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
