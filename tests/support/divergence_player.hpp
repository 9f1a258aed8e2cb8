#pragma once

#include "distil/response/divergence.hpp"
#include "exact_replay.hpp"

namespace distil::testing {

/// Runs a divergence, or what has the same face, with the options that all of them share from the case.
template <auto const& loss, class T, class Options>
loss_value play_divergence(vector_batch<T>& batch, Options options) {
  options.temperature = batch.temperature();
  options.rows = batch.masked_row();
  options.temperature_gradient = batch.slopes();
  if constexpr (requires { options.scale_by_temperature_squared; }) {
    options.scale_by_temperature_squared = batch.squared();
  }
  return loss.with_grad(batch.z(), batch.t(), batch.g(), options);
}

}  // namespace distil::testing
