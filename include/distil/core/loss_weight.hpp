#pragma once

#include <algorithm>
#include <span>

#include "distil/core/loss_value.hpp"
#include "distil/core/number_checks.hpp"

/// The weight of a whole loss, its option `weight`: it multiplies value, gradient and whatever else the loss gives, so that
/// losses added to one gradient make an objective. A loss of weight 0 is absent: nothing of it is computed.
namespace distil::detail {

/// 1 for options that have none.
template <class Options>
[[nodiscard]] constexpr double weight_of(Options const& options) noexcept {
  if constexpr (requires { options.weight; }) {
    return options.weight;
  } else {
    return 1.0;
  }
}

inline void require_loss_weight(char const* where, double weight, computing_type type) {
  require_factor(where, "weight", weight, type);
}

/// Multiplies a derivative that the loss has written; one that it has not, being absent, is 0.
inline void weigh_output(std::span<double> output, double weight) {
  if (weight == 1.0) return;
  for (double& number : output) number = weight == 0.0 ? 0.0 : weight * number;
}

/// Every derivative besides the gradient that options may have a place for.
template <class Options>
void weigh_outputs([[maybe_unused]] Options const& options, [[maybe_unused]] double weight) {
  if constexpr (requires { options.temperature_gradient; })
    weigh_output(options.temperature_gradient, weight);
  if constexpr (requires { options.scale_gradient; }) weigh_output(options.scale_gradient, weight);
  if constexpr (requires { options.variance_gradient; }) weigh_output(options.variance_gradient, weight);
}

/// An absent loss has values of 0.
template <class Options>
void clear_values([[maybe_unused]] Options const& options) {
  if constexpr (requires { options.values.begin(); })
    std::fill(options.values.begin(), options.values.end(), 0.0);
}

/// What `evaluate()` says, multiplied; an absent loss is nothing, and clears its gradients by `clear()`.
template <class Options, class Evaluate, class Clear>
[[nodiscard]] auto weighed(Options const& options, Evaluate const& evaluate, Clear const& clear) {
  double const weight = weight_of(options);
  decltype(evaluate()) result;
  if (weight == 0.0) {
    clear();
    clear_values(options);
  } else {
    result = evaluate();
    if (weight != 1.0) result.multiply(weight);
  }
  weigh_outputs(options, weight);
  return result;
}

}  // namespace distil::detail
