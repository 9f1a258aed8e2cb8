#pragma once

#include <string>
#include <string_view>

#include "distil/core/text.hpp"
#include "distil/schedule/time.hpp"

namespace distil::schedule {

/// All that a learned temperature has learned. A run that restores it continues exactly as if it had not stopped.
struct learned_state {
  double parameter = 0;  ///< what the temperature is a function of
  double velocity = 0;   ///< of the parameter, under momentum

  friend bool operator==(learned_state const&, learned_state const&) = default;
};

/// One line for a checkpoint: "parameter=1.5 velocity=0". `learned_state_from` reads back exactly the same state.
inline std::string to_text(learned_state const& state) {
  return distil::detail::said("parameter=", state.parameter, " velocity=", state.velocity);
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline learned_state learned_state_from(std::string_view text) {
  distil::detail::field_reader fields("schedule::learned_state_from", text, "parameter=... velocity=...");
  double const parameter = fields.number("parameter"), velocity = fields.number("velocity");
  fields.end();
  return {parameter, velocity};
}

/// How far a step of gradient descent with momentum goes, as in PyTorch's SGD: the velocity becomes momentum * velocity +
/// gradient, and the parameter falls by learning_rate * velocity.
struct descent_options {
  double learning_rate = 0.05;  ///< above 0. Default as for CTKD on CIFAR-100
  double momentum = 0;          ///< within [0, 1)
};

namespace detail {

inline void require_descent(char const* where, descent_options const& options) {
  positive(where, "descent.learning_rate", options.learning_rate);
  require(options.momentum >= 0 && options.momentum < 1, where, "descent.momentum", options.momentum,
          "within [0, 1)");
}

/// A gradient that is not finite leaves the state as it is.
inline void descend(learned_state& state, double gradient, descent_options const& options) {
  double const velocity = options.momentum * state.velocity + gradient;
  double const parameter = state.parameter - options.learning_rate * velocity;
  if (is_finite(velocity) && is_finite(parameter)) state = {parameter, velocity};
}

inline void require_finite(char const* where, learned_state const& state) {
  finite(where, "parameter", state.parameter);
  finite(where, "velocity", state.velocity);
}

}  // namespace detail
}  // namespace distil::schedule
