#include <distil/response/brier_divergence.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "brier_divergence", 2,
    [](auto policy, auto const& on) { return distil::brier_divergence(policy, on.student, on.teacher); },
    [](auto policy, auto const& on) {
      return distil::brier_divergence.with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
