#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/text.hpp"
#include "distil/schedule/time.hpp"

namespace distil::schedule {

struct magnitude_balance_options {
  double share = 1;  ///< what the loss shall be of the reference; finite and > 0
  double smoothing =
      0;  ///< of both magnitudes: how much of what they were stays at each step; within [0, 1). Default: none
  double minimum = 0;     ///< the weight never leaves [minimum, maximum]; finite and >= 0
  double maximum = 1000;  ///< finite
};

/// All that a `magnitude_balance` has seen.
struct magnitude_state {
  std::optional<double> reference = std::nullopt;  ///< none before the first step
  double loss = 0;

  friend bool operator==(magnitude_state const&, magnitude_state const&) = default;
};

inline std::string to_text(magnitude_state const& state) {
  using distil::detail::said;
  return said("reference=", state.reference ? said(*state.reference) : "none", " loss=", state.loss);
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline magnitude_state magnitude_state_from(std::string_view text) {
  distil::detail::field_reader fields("schedule::magnitude_state_from", text, "reference=... loss=...");
  magnitude_state state;
  state.reference = fields.number_or_none("reference");
  state.loss = fields.number("loss");
  fields.end();
  return state;
}

/// The weight that brings one loss to the magnitude of another, which neither differentiates: weight = share |reference| / |loss|
/// within bounds.
///
///     schedule::magnitude_balance of_features({.share = 0.5});
///     double const soft = forward_kl.with_grad(...);
///     double const scale = of_features.weight(soft, hint(features, teacher_features));
///     hint.with_grad(features, teacher_features, gradient, {.weight = scale});
///
/// A loss of 0 gets the maximum; where reference or loss is not finite, the weight of the step before is kept, 1 before the
/// first. Fixed sums are weights. Source: NeMo RL's dynamic_loss_scaling, CE / KD without a bound; the balancer of NVIDIA's
/// Model-Optimizer scales intermediate losses to the loss of logits, and their sum to the loss of the task: two of these.
class magnitude_balance {
 public:
  /// Throws std::invalid_argument unless the options are in their ranges.
  explicit magnitude_balance(magnitude_balance_options const& options = {}) : options_(options) {
    detail::positive(where, "share", options.share);
    detail::require(options.smoothing >= 0 && options.smoothing < 1, where, "smoothing", options.smoothing,
                    "within [0, 1)");
    detail::finite(where, "maximum", options.maximum);
    detail::require(options.minimum >= 0 && options.minimum <= options.maximum, where, "minimum",
                    options.minimum, "within [0, maximum]");
  }

  /// One step: the weight for this loss.
  double weight(double reference, double loss) {
    if (detail::is_finite(reference) && detail::is_finite(loss)) {
      double const kept = state_.reference ? options_.smoothing : 0.0;
      state_ = {kept * state_.reference.value_or(0.0) + (1.0 - kept) * std::abs(reference),
                kept * state_.loss + (1.0 - kept) * std::abs(loss)};
    }
    return weight();
  }

  /// The weight of the last step; 1 before the first, within the bounds.
  [[nodiscard]] double weight() const {
    double const found = !state_.reference   ? 1.0
                         : state_.loss > 0.0 ? options_.share * *state_.reference / state_.loss
                                             : options_.maximum;
    return std::clamp(found, options_.minimum, options_.maximum);
  }

  [[nodiscard]] magnitude_state save() const { return state_; }

  /// Throws std::invalid_argument, and keeps the present state, when a magnitude is negative or not finite.
  void restore(magnitude_state const& state) {
    constexpr auto here = "schedule::magnitude_balance::restore";
    double const reference = state.reference.value_or(0.0);
    detail::require(detail::is_finite(reference) && reference >= 0, here, "reference", reference,
                    "finite and >= 0");
    detail::require(detail::is_finite(state.loss) && state.loss >= 0, here, "loss", state.loss,
                    "finite and >= 0");
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::magnitude_balance";

  magnitude_balance_options options_;
  magnitude_state state_;
};

}  // namespace distil::schedule
