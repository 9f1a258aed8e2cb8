#pragma once

#include <algorithm>
#include <cmath>

#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

/// What makes a temperature of any real parameter.
enum class temperature_map {
  exponential,  ///< T = e^theta: steps are shares of the temperature
  softplus      ///< T = log(1 + e^theta): steps are amounts of it, once it is large
};

/// How a temperature is learned.
struct learnable_temperature_options {
  temperature_map map = temperature_map::exponential;
  double minimum = 0.5;           ///< the temperature never leaves [minimum, maximum]; above 0
  double maximum = 20;            ///< finite
  double optimum = 4;             ///< what the regularizer pulls to; within [minimum, maximum]
  double regularizer_weight = 0;  ///< of (T - optimum)^2; finite and >= 0
  descent_options descent = {};
};

/// A temperature that is learned together with the student, by descent of loss + weight (T - optimum)^2.
///
///     T = e^theta or log(1 + e^theta)
///     gradient = (dL/dT + 2 weight (T - optimum)) dT/dtheta
///
///     schedule::learnable_temperature temperature(4, {.regularizer_weight = 0.1});
///     std::array<double, 1> by_temperature;
///     double const loss = hinton_kd.with_grad(student, teacher, labels, gradient,
///                                             {.temperature = temperature.value(),
///                                              .temperature_gradient = by_temperature}) +
///                         temperature.regularizer();
///     temperature.step(by_temperature[0]);
///
/// Two things to know before it is switched on. Any divergence falls as both sides are softened, so a temperature that
/// descends it grows to its maximum unless something holds it: the regularizer, or `curriculum_temperature`, which
/// ascends. And with `scale_by_temperature_squared` dL/dT contains 2 L / T, which pulls the other way and has nothing to do
/// with how well the student agrees; `.factor = T * T` multiplies the loss alike and stays out of the derivative.
///
/// A step that would leave [minimum, maximum] ends on its border, without velocity. A derivative that is not finite changes
/// nothing. Between steps it answers both questions of a schedule with its current value. Source: the log-scale of CLIP
/// (Radford et al. 2021) learns a temperature by its logarithm between bounds; the regularizer is this library's.
class learnable_temperature {
 public:
  /// Throws std::invalid_argument unless 0 < minimum <= start, optimum <= maximum, all finite, and the other options are
  /// in their ranges.
  explicit learnable_temperature(double start = 4, learnable_temperature_options const& options = {})
      : options_(options) {
    auto const within = [&](char const* argument, double number) {
      detail::require(number >= options.minimum && number <= options.maximum, where, argument, number,
                      "within [minimum, maximum]");
    };
    detail::positive(where, "minimum", options.minimum);
    detail::finite(where, "maximum", options.maximum);
    within("start", start);
    within("optimum", options.optimum);
    detail::require(detail::is_finite(options.regularizer_weight) && options.regularizer_weight >= 0, where,
                    "regularizer_weight", options.regularizer_weight, "finite and >= 0");
    detail::require_descent(where, options.descent);
    state_.parameter = parameter_of(start);
  }

  [[nodiscard]] double value() const {
    double const theta = state_.parameter;
    double const temperature = options_.map == temperature_map::exponential
                                   ? std::exp(theta)
                                   : std::max(theta, 0.0) + std::log1p(std::exp(-std::abs(theta)));
    return std::clamp(temperature, options_.minimum, options_.maximum);
  }
  [[nodiscard]] double theta() const { return state_.parameter; }
  double operator()(run_progress) const { return value(); }
  double at(run_step) const { return value(); }

  /// weight (T - optimum)^2, and its derivative by T.
  [[nodiscard]] double regularizer() const {
    double const distance = value() - options_.optimum;
    return options_.regularizer_weight * distance * distance;
  }
  [[nodiscard]] double regularizer_by_temperature() const {
    return 2 * options_.regularizer_weight * (value() - options_.optimum);
  }

  /// The gradient by theta of loss and regularizer, for an optimizer of your own.
  [[nodiscard]] double gradient(double by_temperature) const {
    return (by_temperature + regularizer_by_temperature()) * slope();
  }

  /// One step down; returns the temperature from here on.
  double step(double by_temperature) {
    detail::descend(state_, gradient(by_temperature), options_.descent);
    confine();
    return value();
  }

  /// All that the steps so far have left behind; the options are not part of it.
  [[nodiscard]] learned_state save() const { return state_; }

  /// Continues from a saved state. Throws std::invalid_argument, and keeps the present state, when the saved one cannot
  /// come from a temperature with these options.
  void restore(learned_state const& state) {
    constexpr auto here = "schedule::learnable_temperature::restore";
    detail::require_finite(here, state);
    detail::require(state.parameter >= parameter_of(options_.minimum) &&
                        state.parameter <= parameter_of(options_.maximum),
                    here, "parameter", state.parameter, "that of a temperature within [minimum, maximum]");
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::learnable_temperature";

  [[nodiscard]] double parameter_of(double temperature) const {
    if (options_.map == temperature_map::exponential) return std::log(temperature);
    return temperature + std::log(-std::expm1(-temperature));
  }

  /// dT/dtheta.
  [[nodiscard]] double slope() const {
    return options_.map == temperature_map::exponential ? value() : -std::expm1(-value());
  }

  void confine() {
    double const inside =
        std::clamp(state_.parameter, parameter_of(options_.minimum), parameter_of(options_.maximum));
    if (inside != state_.parameter) state_ = {inside, 0.0};
  }

  learnable_temperature_options options_;
  learned_state state_;
};

}  // namespace distil::schedule
