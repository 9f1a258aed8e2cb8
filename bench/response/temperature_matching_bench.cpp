#include <distil/response/temperature_matching.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "temperature_matching", 2,
    [](auto policy, auto const& on) { return distil::temperature_matching(policy, on.student, on.teacher); },
    [](auto policy, auto const& on) {
      return distil::temperature_matching.with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
