#include <distil/response/norm_kd.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "norm_kd", 2,
    [](auto policy, auto const& on) { return distil::norm_kd(policy, on.student, on.teacher, on.labels); },
    [](auto policy, auto const& on) {
      return distil::norm_kd.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
