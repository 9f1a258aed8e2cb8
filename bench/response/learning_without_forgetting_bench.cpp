#include <distil/response/learning_without_forgetting.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "learning_without_forgetting", 2,
    [](auto policy, auto const& on) {
      return distil::learning_without_forgetting(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::learning_without_forgetting.with_grad(policy, on.student, on.teacher, on.gradient,
                                                           {.temperature = 4});
    });

}  // namespace
