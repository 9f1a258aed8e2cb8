#include <distil/response/list_maximum_likelihood.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "list_maximum_likelihood", 2,
    [](auto policy, auto const& on) {
      return distil::list_maximum_likelihood(policy, on.student, on.teacher, {.top = 128});
    },
    [](auto policy, auto const& on) {
      return distil::list_maximum_likelihood.with_grad(policy, on.student, on.teacher, on.gradient,
                                                       {.top = 128});
    });

}  // namespace
