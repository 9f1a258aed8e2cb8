#include <distil/response/pairwise_hinge.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "pairwise_hinge", 2,
    [](auto policy, auto const& on) {
      return distil::pairwise_hinge(policy, on.student, on.teacher, {.top = 64});
    },
    [](auto policy, auto const& on) {
      return distil::pairwise_hinge.with_grad(policy, on.student, on.teacher, on.gradient, {.top = 64});
    });

}  // namespace
