#include <distil/response/log_softmax.hpp>

#include "support/loss.hpp"

namespace {

bool const output_registered =
    bench::add_form<float>("log_softmax", {"output", 2, 1}, [](auto policy, auto const& on) {
      distil::log_softmax(policy, on.student, on.gradient);
      return static_cast<double>(on.gradient(0, 0));
    });

// The student's logits stand in for outputs: the work is the same, and nothing is overwritten from call to
// call.
bool const pull_back_registered =
    bench::add_form<float>("log_softmax", {"pull_back", 3, 1}, [](auto policy, auto const& on) {
      distil::log_softmax.pull_back(policy, on.student, on.teacher, on.gradient);
      return static_cast<double>(on.gradient(0, 0));
    });

// What a loss by log-probabilities pays for them.
bool const both_registered =
    bench::add_form<float>("log_softmax", {"output_and_pull_back", 5, 2}, [](auto policy, auto const& on) {
      distil::log_softmax(policy, on.student, on.gradient);
      distil::log_softmax.pull_back(policy, on.student, on.teacher, on.gradient);
      return static_cast<double>(on.gradient(0, 0));
    });

}  // namespace
