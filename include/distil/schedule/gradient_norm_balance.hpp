#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distil/core/text.hpp"
#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

struct gradient_norm_options {
  /// Of the rates: 0 makes all norms alike, more gives losses that fall slowly larger ones; finite and >= 0. Default 1.5, as in
  /// the paper's example of rooms; 0.12 for its other.
  double restoring_force = 1.5;

  /// No weight falls below it, before they are brought back to their sum; within [0, 1). Default 1e-3.
  double minimum = 1e-3;

  descent_options descent = {.learning_rate = 0.025};
};

/// All that a `gradient_norm_balance` has learned.
struct gradient_norm_state {
  std::vector<double> weights;  ///< one per loss
  std::vector<double> velocities;
  std::vector<double> first_losses;  ///< none before the first step

  friend bool operator==(gradient_norm_state const&, gradient_norm_state const&) = default;
};

inline std::string to_text(gradient_norm_state const& state) {
  using distil::detail::list_text;
  return distil::detail::said("weights=", list_text(state.weights),
                              " velocities=", list_text(state.velocities),
                              " first_losses=", list_text(state.first_losses));
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline gradient_norm_state gradient_norm_state_from(std::string_view text) {
  distil::detail::field_reader fields("schedule::gradient_norm_state_from", text,
                                      "weights=... velocities=... first_losses=...");
  gradient_norm_state state;
  fields.numbers("weights", [&](double number) { state.weights.push_back(number); });
  fields.numbers("velocities", [&](double number) { state.velocities.push_back(number); });
  fields.numbers("first_losses", [&](double number) { state.first_losses.push_back(number); });
  fields.end();
  return state;
}

/// Weights of losses that give a shared layer gradients of like norms, larger ones for losses that lag behind. @alias GradNorm
///
///     G_i = w_i n_i, n_i the norm of the gradient of loss i without its weight, by the shared layer
///     r_i = (L_i / L_i(0)) / mean of these;   the price sum_i |G_i - mean G r_i^force|, whose target is a constant
///     w_i falls along its slope sign(G_i - target_i) n_i; then all are divided so that they sum to their number
///
///     schedule::gradient_norm_balance balance(2);
///     ... {.weight = balance.weight(0)} ...
///     balance.step(losses, norms);       // `clip_by_norm(gradient, infinity)` measures a norm
///
/// The first losses are those of the first step, or given: log C is what a cross entropy of C classes has at the beginning. A
/// step with a loss or norm that is not finite, or a negative one, changes nothing. Source: Chen et al. 2018, arXiv:1711.02257,
/// algorithm 1.
class gradient_norm_balance {
 public:
  /// All weights begin at 1. Throws std::invalid_argument unless there are two losses, the options are in their ranges, and
  /// first losses, where given, are one per loss, finite and > 0.
  explicit gradient_norm_balance(std::size_t losses, gradient_norm_options const& options = {},
                                 std::span<double const> first_losses = {})
      : options_(options), state_{std::vector<double>(losses, 1.0), std::vector<double>(losses, 0.0), {}} {
    distil::detail::require(losses >= 2, where, "losses", losses, "at least 2");
    double const force = options.restoring_force;
    detail::require(detail::is_finite(force) && force >= 0, where, "restoring_force", force,
                    "finite and >= 0");
    detail::require(options.minimum >= 0 && options.minimum < 1, where, "minimum", options.minimum,
                    "within [0, 1)");
    detail::require_descent(where, options.descent);
    state_.first_losses.assign(first_losses.begin(), first_losses.end());
    if (!first_losses.empty()) require_first_losses(where, state_);
  }

  [[nodiscard]] double weight(std::size_t loss) const { return state_.weights[loss]; }

  /// One step, from the losses and norms without their weights.
  void step(std::span<double const> losses, std::span<double const> norms) {
    std::size_t const count = state_.weights.size();
    auto const require_size = [&](char const* argument, std::size_t size) {
      distil::detail::require(size == count, where, argument, size,
                              [&] { return distil::detail::said(count, ", as at the beginning"); });
    };
    require_size("number of losses", losses.size());
    require_size("number of norms", norms.size());
    auto const usable = [](double value) { return detail::is_finite(value) && value >= 0; };
    if (!std::all_of(losses.begin(), losses.end(), usable) ||
        !std::all_of(norms.begin(), norms.end(), usable))
      return;
    if (state_.first_losses.empty()) {
      if (!std::all_of(losses.begin(), losses.end(), [](double loss) { return loss > 0; })) return;
      state_.first_losses.assign(losses.begin(), losses.end());
    }
    double mean_norm = 0.0, mean_share = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      mean_norm += state_.weights[i] * norms[i] / static_cast<double>(count);
      mean_share += losses[i] / state_.first_losses[i] / static_cast<double>(count);
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      double const rate = mean_share > 0.0 ? losses[i] / state_.first_losses[i] / mean_share : 1.0;
      double const excess =
          state_.weights[i] * norms[i] - mean_norm * std::pow(rate, options_.restoring_force);
      learned_state one{state_.weights[i], state_.velocities[i]};
      detail::descend(one, excess > 0.0 ? norms[i] : excess < 0.0 ? -norms[i] : 0.0, options_.descent);
      state_.weights[i] = std::max(one.parameter, options_.minimum);
      state_.velocities[i] = one.velocity;
      sum += state_.weights[i];
    }
    for (double& each : state_.weights) each = sum > 0.0 ? each * static_cast<double>(count) / sum : 1.0;
  }

  [[nodiscard]] gradient_norm_state const& save() const { return state_; }

  /// Throws std::invalid_argument, and keeps the present state, when the saved one is of another number of losses or has a
  /// weight that is negative or not finite.
  void restore(gradient_norm_state const& state) {
    constexpr auto here = "schedule::gradient_norm_balance::restore";
    std::size_t const count = state_.weights.size();
    distil::detail::require(state.weights.size() == count && state.velocities.size() == count, here,
                            "number of weights", state.weights.size(),
                            [&] { return distil::detail::said(count, ", as there are losses"); });
    for (std::size_t i = 0; i < count; ++i) {
      double const weight = state.weights[i];
      detail::require(detail::is_finite(weight) && weight >= 0, here, "weight", weight, "finite and >= 0");
      detail::finite(here, "velocity", state.velocities[i]);
    }
    if (!state.first_losses.empty()) require_first_losses(here, state);
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::gradient_norm_balance";

  static void require_first_losses(char const* here, gradient_norm_state const& state) {
    distil::detail::require(state.first_losses.size() == state.weights.size(), here, "number of first losses",
                            state.first_losses.size(), [&] {
                              return distil::detail::said(state.weights.size(), ", as there are losses");
                            });
    for (double const loss : state.first_losses) detail::positive(here, "first loss", loss);
  }

  gradient_norm_options options_;
  gradient_norm_state state_;
};

}  // namespace distil::schedule
