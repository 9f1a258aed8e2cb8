#include <distil/response/virtual_teacher.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "virtual_teacher", 1,
    [](auto policy, auto const& on) { return distil::virtual_teacher(policy, on.student, on.labels); },
    [](auto policy, auto const& on) {
      return distil::virtual_teacher.with_grad(policy, on.student, on.labels, on.gradient);
    });

}  // namespace
