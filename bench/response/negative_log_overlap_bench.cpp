#include <distil/response/negative_log_overlap.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "negative_log_overlap", 2,
    [](auto policy, auto const& on) {
      return distil::negative_log_overlap(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::negative_log_overlap.with_grad(policy, on.student, on.teacher, on.gradient,
                                                    {.temperature = 4});
    });

}  // namespace
