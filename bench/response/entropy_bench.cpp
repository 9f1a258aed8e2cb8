#include <distil/response/entropy.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "entropy", 1, [](auto policy, auto const& on) { return distil::entropy(policy, on.student); },
    [](auto policy, auto const& on) { return distil::entropy.with_grad(policy, on.student, on.gradient); });

}  // namespace
