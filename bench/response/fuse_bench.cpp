#include <distil/response/cross_entropy.hpp>
#include <distil/response/forward_kl.hpp>
#include <distil/response/fuse.hpp>
#include <distil/response/reverse_kl.hpp>

#include "support/loss.hpp"

namespace {

// Three terms in one sweep, and the same three as calls that add to one gradient.
bool const fused =
    bench::add_form<float>("three_terms", {"fused", 3, 3}, [](auto policy, auto const& on) -> double {
      auto const objective = distil::fuse(0.3 * distil::cross_entropy.term(on.labels),
                                          0.5 * distil::forward_kl.term(on.teacher, {.temperature = 4}),
                                          0.2 * distil::reverse_kl.term(on.teacher, {.temperature = 2}));
      return objective.with_grad(policy, on.student, on.gradient);
    });

bool const one_by_one =
    bench::add_form<float>("three_terms", {"calls", 3, 3}, [](auto policy, auto const& on) -> double {
      double const hard = distil::cross_entropy.with_grad(policy, on.student, on.labels, on.gradient);
      double const forward = distil::forward_kl.with_grad(policy, on.student, on.teacher, on.gradient,
                                                          {.temperature = 4, .accumulate = true});
      double const reverse = distil::reverse_kl.with_grad(policy, on.student, on.teacher, on.gradient,
                                                          {.temperature = 2, .accumulate = true});
      return 0.3 * hard + 0.5 * forward + 0.2 * reverse;
    });

}  // namespace
