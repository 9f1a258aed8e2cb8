#include <distil/response/alpha_beta.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "alpha_beta", 2,
    [](auto policy, auto const& on) {
      return distil::alpha_beta(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::alpha_beta.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

}  // namespace
