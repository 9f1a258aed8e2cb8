#include <distil/response/universal_self_kd.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "universal_self_kd", 2,
    [](auto policy, auto const& on) {
      return distil::universal_self_kd(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::universal_self_kd.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
