#include <distil/response/skew_kl.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "skew_kl", 2,
    [](auto policy, auto const& on) {
      return distil::skew_kl(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::skew_kl.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
