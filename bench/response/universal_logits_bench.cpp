#include <distil/response/universal_logits.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "universal_logits", 2,
    [](auto policy, auto const& on) { return distil::universal_logits(policy, on.student, on.teacher); },
    [](auto policy, auto const& on) {
      return distil::universal_logits.with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
