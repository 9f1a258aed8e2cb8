#include <distil/response/renyi.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "renyi", 2,
    [](auto policy, auto const& on) {
      return distil::renyi(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::renyi.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
