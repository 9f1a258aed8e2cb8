#include <distil/response/weighted_soft_label.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "weighted_soft_label", 2,
    [](auto policy, auto const& on) {
      return distil::weighted_soft_label(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::weighted_soft_label.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
