#include <distil/response/cross_entropy.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "cross_entropy", 1,
    [](auto policy, auto const& on) { return distil::cross_entropy(policy, on.student, on.labels); },
    [](auto policy, auto const& on) {
      return distil::cross_entropy.with_grad(policy, on.student, on.labels, on.gradient);
    });

}  // namespace
