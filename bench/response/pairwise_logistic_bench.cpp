#include <distil/response/pairwise_logistic.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "pairwise_logistic", 2,
    [](auto policy, auto const& on) {
      return distil::pairwise_logistic(policy, on.student, on.teacher, {.top = 64});
    },
    [](auto policy, auto const& on) {
      return distil::pairwise_logistic.with_grad(policy, on.student, on.teacher, on.gradient, {.top = 64});
    });

}  // namespace
