#include <distil/response/jensen_shannon.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "jensen_shannon", 2,
    [](auto policy, auto const& on) {
      return distil::jensen_shannon(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::jensen_shannon.with_grad(policy, on.student, on.teacher, on.gradient,
                                              {.temperature = 4});
    });

}  // namespace
