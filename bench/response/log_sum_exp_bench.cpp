#include <distil/response/log_sum_exp.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "log_sum_exp", 1, [](auto policy, auto const& on) { return distil::log_sum_exp(policy, on.student); },
    [](auto policy, auto const& on) {
      return distil::log_sum_exp.with_grad(policy, on.student, on.gradient);
    });

}  // namespace
