#include <distil/response/margin_corrected_kl.hpp>

#include "support/loss.hpp"

namespace {

bool const registered = bench::add_loss<float>(
    "margin_corrected_kl", 2,
    [](auto policy, auto const& on) {
      return distil::margin_corrected_kl(policy, on.student, on.teacher, on.labels);
    },
    [](auto policy, auto const& on) {
      return distil::margin_corrected_kl.with_grad(policy, on.student, on.teacher, on.labels, on.gradient);
    });

}  // namespace
