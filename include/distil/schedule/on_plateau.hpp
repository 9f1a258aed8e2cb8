#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "distil/schedule/plateau_state.hpp"
#include "distil/schedule/time.hpp"

namespace distil::schedule {

/// Which way a metric gets better.
enum class metric_goal { minimise, maximise };

/// How an `on_plateau` reacts. A factor of 1 switches its direction off.
struct on_plateau_options {
  metric_goal goal = metric_goal::minimise;
  std::int64_t patience =
      10;  ///< checks without improvement until the value is lowered; PyTorch waits one more
  double improvement = 1e-4;         ///< a better metric counts from this share of |best|; as in PyTorch
  double factor_when_stalled = 0.5;  ///< in (0, 1]
  double worsening = 0.1;            ///< a worse metric counts from this share of |best|
  double factor_when_worse = 2;      ///< at least 1
  std::int64_t cooldown = 0;         ///< checks to sit out after each change
  double minimum = 0;                ///< the value never leaves [minimum, maximum]
  double maximum = std::numeric_limits<double>::max();
};

/// A value that follows a metric: lowered when the metric stalls, raised when it worsens.
///
/// `observe(metric)` is one check. With gain = best - metric (metric - best when maximising):
///
///     gain > improvement |best|     the metric is the new best, the count of stalled checks starts again
///     gain < -worsening |best|      value * factor_when_worse; the count starts again
///     else                          one more stalled check; at `patience` of them in a row
///                                   value * factor_when_stalled, and the count starts again
///
/// The best is kept through a worsening, so a metric that stays worse raises the value at every check that no
/// cooldown covers. During a cooldown only the best is followed. A metric that is not finite counts as a
/// worsening, whatever the goal, and is never the best: a diverging run is what a raise is for. The first
/// finite metric is an improvement.
///
/// Between checks it answers both questions with its current value. Composition copies, as for every
/// schedule; `std::cref(plateau) * other` follows the original instead.
///
/// Sources: ReduceLROnPlateau of PyTorch and Keras for the lowering (with "lowered at `patience` stalled
/// checks", as in Keras); raising at validation loss >= best + epsilon is the practice of data-free
/// distillation. The thresholds are relative to |best|, so that negative metrics work.
class on_plateau {
 public:
  /// Throws std::invalid_argument unless the options are in the ranges given with them, counts and shares are
  /// not negative, patience >= 1, and minimum <= start <= maximum.
  explicit on_plateau(double start, on_plateau_options const& options = {}) : options_(options) {
    auto const check = [](bool holds, char const* argument, auto was, char const* must_be) {
      distil::detail::require(holds, where, argument, was, must_be);
    };
    auto const is_share = [](double share) { return detail::is_finite(share) && share >= 0; };
    check(options.patience >= 1, "patience", options.patience, "at least 1 check");
    check(is_share(options.improvement), "improvement", options.improvement, "a share of |best|, 0 or above");
    check(options.factor_when_stalled > 0 && options.factor_when_stalled <= 1, "factor_when_stalled",
          options.factor_when_stalled, "within (0, 1]");
    check(is_share(options.worsening), "worsening", options.worsening, "a share of |best|, 0 or above");
    check(detail::is_finite(options.factor_when_worse) && options.factor_when_worse >= 1, "factor_when_worse",
          options.factor_when_worse, "a finite number, at least 1");
    check(options.cooldown >= 0, "cooldown", options.cooldown, "0 or more checks");
    detail::finite(where, "minimum", options.minimum);
    detail::finite(where, "maximum", options.maximum);
    check(options.minimum >= 0 && options.minimum <= options.maximum, "minimum", options.minimum,
          "within [0, maximum]");
    check(in_bounds(start), "start", start, "within [minimum, maximum]");
    state_.value = start;
  }

  /// One check of the metric; returns the value from here on.
  double observe(double metric) {
    double const gain = gain_of(metric);
    double const scale = state_.best ? std::abs(*state_.best) : 0;
    bool const improved = gain > options_.improvement * scale;
    if (improved) state_.best = metric;

    if (state_.cooldown_left > 0) {
      --state_.cooldown_left;
    } else if (improved) {
      state_.stalled = 0;
    } else if (gain < -options_.worsening * scale) {
      multiply(options_.factor_when_worse);
    } else if (++state_.stalled == options_.patience) {
      multiply(options_.factor_when_stalled);
    }
    return state_.value;
  }

  double operator()(run_progress) const { return state_.value; }
  double at(run_step) const { return state_.value; }

  /// All that the checks so far have left behind; the options are not part of it.
  plateau_state save() const { return state_; }

  /// Continues from a saved state. Throws std::invalid_argument, and keeps the present state, when the saved
  /// one cannot come from a schedule with these options.
  void restore(plateau_state const& state) {
    auto const check = [](bool holds, char const* argument, auto was, char const* must_be) {
      distil::detail::require(holds, "schedule::on_plateau::restore", argument, was, must_be);
    };
    check(in_bounds(state.value), "value", state.value, "within [minimum, maximum]");
    check(!state.best || detail::is_finite(*state.best), "best", state.best.value_or(0), "a finite number");
    check(state.stalled >= 0 && state.stalled < options_.patience, "stalled", state.stalled,
          "within [0, patience)");
    check(state.cooldown_left >= 0 && state.cooldown_left <= options_.cooldown, "cooldown_left",
          state.cooldown_left, "within [0, cooldown]");
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::on_plateau";

  bool in_bounds(double value) const { return value >= options_.minimum && value <= options_.maximum; }

  /// Positive when the metric is better than the best.
  double gain_of(double metric) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!detail::is_finite(metric)) return -infinity;
    if (!state_.best) return infinity;
    return options_.goal == metric_goal::minimise ? *state_.best - metric : metric - *state_.best;
  }

  void multiply(double factor) {
    state_.value = std::clamp(state_.value * factor, options_.minimum, options_.maximum);
    state_.stalled = 0;
    state_.cooldown_left = options_.cooldown;
  }

  on_plateau_options options_;
  plateau_state state_;
};

}  // namespace distil::schedule
