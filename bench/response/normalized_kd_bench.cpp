#include <distil/response/normalized_kd.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "normalized_kd", 2,
    [](auto policy, auto const& on) {
      return distil::normalized_kd(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::normalized_kd.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
