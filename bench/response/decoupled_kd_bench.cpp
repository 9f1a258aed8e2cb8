#include <distil/response/decoupled_kd.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "decoupled_kd", 2,
    [](auto policy, auto const& on) {
      return distil::decoupled_kd(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::decoupled_kd.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
