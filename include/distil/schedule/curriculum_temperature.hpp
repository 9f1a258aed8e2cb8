#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

/// The temperatures a curriculum chooses from, and how it learns.
struct curriculum_temperature_options {
  double start = 1;   ///< the lowest temperature; above 0. Default as in CTKD
  double range = 20;  ///< from the lowest to the highest; above 0. Default as in CTKD
  descent_options descent = {};
};

/// A temperature that learns to make the loss larger while the student makes it smaller: a curriculum from easy to hard,
/// in which strength grows from 0 to 1. @alias CTKD, curriculum temperature, gradient reversal
///
///     T = start + range sigmoid(theta)          theta, and with it T, ascends the loss L:
///     gradient = -strength dL/dT dT/dtheta      what an optimizer that descends is given for theta
///
/// dL/dT comes from the loss itself, and includes what its factor T^2 adds:
///
///     schedule::curriculum_temperature temperature;
///     auto const strength = schedule::presets::ctkd_curriculum();
///     std::array<double, 1> by_temperature;
///     hinton_kd.with_grad(student, teacher, labels, gradient,
///                         {.temperature = temperature.value(), .temperature_gradient = by_temperature});
///     temperature.step(by_temperature[0], strength.at(epoch));
///
/// Where a network gives a theta for each sample, `temperatures` and `gradients` do the same for all of them.
///
/// Between steps it answers both questions of a schedule with its current value. A derivative that is not finite changes
/// nothing. Source: Li, Li, Yang, Zhao, Song, Luo, Li, Yang 2023, Curriculum Temperature for Knowledge Distillation,
/// arXiv:2211.16231, section 3; theta begins at 1 as in their code, whose lambda has the opposite sign.
class curriculum_temperature {
 public:
  /// Throws std::invalid_argument unless theta is finite and the options are in their ranges.
  explicit curriculum_temperature(curriculum_temperature_options const& options = {}, double theta = 1)
      : options_(options) {
    detail::positive(where, "start", options.start);
    detail::positive(where, "range", options.range);
    detail::require_descent(where, options.descent);
    state_.parameter = detail::finite(where, "theta", theta);
  }

  [[nodiscard]] double value() const { return temperature_at(state_.parameter); }
  [[nodiscard]] double theta() const { return state_.parameter; }
  double operator()(run_progress) const { return value(); }
  double at(run_step) const { return value(); }

  /// The reversed gradient by theta, for an optimizer of your own.
  [[nodiscard]] double gradient(double by_temperature, double strength = 1) const {
    return reversed(by_temperature, strength, state_.parameter);
  }

  /// One step against the loss; returns the temperature from here on.
  double step(double by_temperature, double strength = 1) {
    detail::descend(state_, gradient(by_temperature, strength), options_.descent);
    return value();
  }

  /// The temperature of each theta. Throws std::invalid_argument unless both are as many.
  void temperatures(std::span<double const> thetas, std::span<double> result) const {
    require_as_many("temperatures", thetas.size(), result.size());
    for (std::size_t i = 0; i < thetas.size(); ++i) result[i] = temperature_at(thetas[i]);
  }

  /// The reversed gradient by each theta, from the derivative by each temperature; `result` may be either of them.
  void gradients(std::span<double const> thetas, std::span<double const> by_temperature, double strength,
                 std::span<double> result) const {
    require_as_many("by_temperature", thetas.size(), by_temperature.size());
    require_as_many("gradients", thetas.size(), result.size());
    for (std::size_t i = 0; i < thetas.size(); ++i)
      result[i] = reversed(by_temperature[i], strength, thetas[i]);
  }

  /// All that the steps so far have left behind; the options are not part of it.
  [[nodiscard]] learned_state save() const { return state_; }

  /// Continues from a saved state. Throws std::invalid_argument, and keeps the present state, when it is not finite.
  void restore(learned_state const& state) {
    detail::require_finite("schedule::curriculum_temperature::restore", state);
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::curriculum_temperature";

  /// 1 / (1 + e^-x), by an exponential that cannot overflow.
  static double sigmoid(double x) {
    double const falling = std::exp(-std::abs(x));
    return (x < 0 ? falling : 1.0) / (1.0 + falling);
  }

  [[nodiscard]] double temperature_at(double theta) const {
    return options_.start + options_.range * sigmoid(theta);
  }
  [[nodiscard]] double reversed(double by_temperature, double strength, double theta) const {
    return -strength * by_temperature * options_.range * sigmoid(theta) * sigmoid(-theta);
  }

  static void require_as_many(char const* argument, std::size_t size, std::size_t was) {
    distil::detail::require(
        size == was, where, argument, [&] { return distil::detail::said("of size ", was); },
        [&] { return distil::detail::said("one for each theta, ", size); });
  }

  curriculum_temperature_options options_;
  learned_state state_;
};

}  // namespace distil::schedule
