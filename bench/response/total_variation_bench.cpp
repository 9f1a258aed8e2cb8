#include <distil/response/total_variation.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "total_variation", 2,
    [](auto policy, auto const& on) {
      return distil::total_variation(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::total_variation.with_grad(policy, on.student, on.teacher, on.gradient,
                                               {.temperature = 4});
    });

}  // namespace
