#include <distil/response/adaptive_alpha.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "adaptive_alpha", 2,
    [](auto policy, auto const& on) {
      return distil::adaptive_alpha(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::adaptive_alpha.with_grad(policy, on.student, on.teacher, on.gradient,
                                              {.temperature = 4});
    });

}  // namespace
