#include <distil/response/jeffreys.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "jeffreys", 2,
    [](auto policy, auto const& on) {
      return distil::jeffreys(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::jeffreys.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
