#include <distil/response/one_for_all.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "one_for_all", 2,
    [](auto policy, auto const& on) {
      return distil::one_for_all(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::one_for_all.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
