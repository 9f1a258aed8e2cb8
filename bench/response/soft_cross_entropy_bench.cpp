#include <distil/response/soft_cross_entropy.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "soft_cross_entropy", 2,
    [](auto policy, auto const& on) {
      return distil::soft_cross_entropy(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::soft_cross_entropy.with_grad(policy, on.student, on.teacher, on.gradient,
                                                  {.temperature = 4});
    });

}  // namespace
