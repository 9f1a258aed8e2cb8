#include <distil/response/logit_standardization.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "logit_standardization", 2,
    [](auto policy, auto const& on) {
      return distil::standardized(distil::forward_kl)(policy, on.student, on.teacher);
    },
    [](auto policy, auto const& on) {
      return distil::standardized(distil::forward_kl).with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
