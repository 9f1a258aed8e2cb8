#include <distil/response/overlap_hybrid.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "overlap_hybrid", 2,
    [](auto policy, auto const& on) {
      return distil::overlap_hybrid(policy, on.student, on.teacher, {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::overlap_hybrid.with_grad(policy, on.student, on.teacher, on.gradient,
                                              {.temperature = 4});
    });

}  // namespace
