#include <distil/response/hard_distillation.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "hard_distillation", 2,
    [](auto policy, auto const& on) {
      return distil::hard_distillation(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::hard_distillation.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
