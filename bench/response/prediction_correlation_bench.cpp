#include <distil/response/prediction_correlation.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "prediction_correlation", 2,
    [](auto policy, auto const& on) {
      return distil::prediction_correlation(policy, on.student, on.teacher);
    },
    [](auto policy, auto const& on) {
      return distil::prediction_correlation.with_grad(policy, on.student, on.teacher, on.gradient);
    });

}  // namespace
