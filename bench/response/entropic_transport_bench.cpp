#include <distil/response/entropic_transport.hpp>

#include "support/loss.hpp"

namespace {

constexpr bench::shape on[] = {{256, 256}, {1024, 100}};
constexpr distil::entropic_transport_options options{.epsilon = 1};  // the logits stand in for costs

bool const registered =
    bench::add_form<float>(
        "entropic_transport", {"value", 1, 1},
        [](auto policy, auto const& batch) -> double {
          return distil::entropic_transport(policy, batch.student, options);
        },
        on) &&
    bench::add_form<float>(
        "entropic_transport", {"gradient", 2, 1},
        [](auto policy, auto const& batch) -> double {
          return distil::entropic_transport.with_grad(policy, batch.student, batch.gradient, options);
        },
        on);

}  // namespace
