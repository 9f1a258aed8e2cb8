#include <distil/response/mean_squared_logits.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "mean_squared_logits", 2,
    [](auto policy, auto const& on) {
      return distil::mean_squared_logits(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::mean_squared_logits.with_grad(policy, on.student, on.teacher, on.gradient,
                                                   {.temperature = 4});
    });

}  // namespace
