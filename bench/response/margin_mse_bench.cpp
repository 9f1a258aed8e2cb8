#include <distil/response/margin_mse.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "margin_mse", 2,
    [](auto policy, auto const& on) { return distil::margin_mse(policy, on.student, on.teacher); },
    [](auto policy, auto const& on) {
      return distil::margin_mse.with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
