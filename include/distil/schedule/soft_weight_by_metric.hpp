#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/text.hpp"
#include "distil/schedule/on_plateau.hpp"

namespace distil::schedule {

/// How a `soft_weight_by_metric` reacts.
struct soft_weight_by_metric_options {
  metric_goal goal = metric_goal::maximise;  ///< what is better of the metric that both are measured by
  double close = 0.01;  ///< a student within this distance of the teacher, or ahead of it, is too close; >= 0
  double improvement = 1e-3;  ///< the distance shrinks when it falls by more than this; >= 0
  std::int64_t patience =
      3;               ///< checks in a row in which it does not until the teacher counts for more; at least 1
  double step = 0.1;   ///< how far the weight moves; finite and > 0
  double minimum = 0;  ///< the weight never leaves [minimum, maximum], within [0, 1]
  double maximum = 1;
};

/// All that a `soft_weight_by_metric` has learned.
struct metric_weight_state {
  double weight = 0;
  std::optional<double> nearest =
      std::nullopt;          ///< the smallest distance so far; none before the first finite one
  std::int64_t stalled = 0;  ///< checks in a row in which it has not shrunk

  friend bool operator==(metric_weight_state const&, metric_weight_state const&) = default;
};

inline std::string to_text(metric_weight_state const& state) {
  using distil::detail::said;
  return said("weight=", state.weight, " nearest=", state.nearest ? said(*state.nearest) : "none",
              " stalled=", state.stalled);
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline metric_weight_state metric_weight_state_from(std::string_view text) {
  distil::detail::field_reader fields("schedule::metric_weight_state_from", text,
                                      "weight=... nearest=... stalled=...");
  metric_weight_state state;
  state.weight = fields.number("weight");
  state.nearest = fields.number_or_none("nearest");
  state.stalled = fields.integer("stalled");
  fields.end();
  return state;
}

/// A soft weight that follows how far the student is behind its teacher on validation data; the hard weight is its complement.
///
///     distance = teacher - student, or student - teacher of a metric that is to be minimised
///
///     distance <= close                               too close: the labels have more to say; weight - step
///     distance < nearest - improvement                it learns; the count of stalled checks starts again
///     else, `patience` checks in a row                it does not learn from the teacher as it is: weight + step
///
///     schedule::soft_weight_by_metric soft_weight(0.5);
///     double const now = soft_weight.observe(accuracy_of_student, accuracy_of_teacher);   // once a check
///
/// A metric that is not finite is a stalled check. Between checks it answers both questions of a schedule with its current value,
/// so `1.0 - std::cref(soft_weight)` is the hard weight. Source: this library's; `on_plateau` follows one metric, this one two.
class soft_weight_by_metric {
 public:
  /// Throws std::invalid_argument unless the options are in their ranges and minimum <= start <= maximum.
  explicit soft_weight_by_metric(double start, soft_weight_by_metric_options const& options = {})
      : options_(options) {
    auto const not_negative = [](char const* argument, double value) {
      detail::require(detail::is_finite(value) && value >= 0, where, argument, value, "finite and >= 0");
    };
    not_negative("close", options.close);
    not_negative("improvement", options.improvement);
    distil::detail::require(options.patience >= 1, where, "patience", options.patience, "at least 1 check");
    detail::positive(where, "step", options.step);
    detail::require(options.minimum >= 0 && options.minimum <= options.maximum, where, "minimum",
                    options.minimum, "within [0, maximum]");
    detail::require(options.maximum <= 1, where, "maximum", options.maximum, "at most 1");
    detail::require(in_bounds(start), where, "start", start, "within [minimum, maximum]");
    state_.weight = start;
  }

  /// One check of both metrics; returns the soft weight from here on.
  double observe(double student, double teacher) {
    double const distance = options_.goal == metric_goal::maximise ? teacher - student : student - teacher;
    bool const usable = detail::is_finite(distance);
    bool const shrinks = usable && (!state_.nearest || distance < *state_.nearest - options_.improvement);
    if (usable) state_.nearest = std::min(distance, state_.nearest.value_or(distance));
    if (usable && distance <= options_.close) {
      move(-options_.step);
    } else if (shrinks) {
      state_.stalled = 0;
    } else if (++state_.stalled == options_.patience) {
      move(options_.step);
    }
    return state_.weight;
  }

  double operator()(run_progress) const { return state_.weight; }
  double at(run_step) const { return state_.weight; }

  [[nodiscard]] metric_weight_state save() const { return state_; }

  /// Throws std::invalid_argument, and keeps the present state, when the saved one cannot come from these options.
  void restore(metric_weight_state const& state) {
    constexpr auto here = "schedule::soft_weight_by_metric::restore";
    detail::require(in_bounds(state.weight), here, "weight", state.weight, "within [minimum, maximum]");
    detail::finite(here, "nearest", state.nearest.value_or(0.0));
    distil::detail::require(state.stalled >= 0 && state.stalled < options_.patience, here, "stalled",
                            state.stalled, "within [0, patience)");
    state_ = state;
  }

 private:
  static constexpr auto where = "schedule::soft_weight_by_metric";

  [[nodiscard]] bool in_bounds(double weight) const {
    return weight >= options_.minimum && weight <= options_.maximum;
  }
  void move(double by) {
    state_.weight = std::clamp(state_.weight + by, options_.minimum, options_.maximum);
    state_.stalled = 0;
  }

  soft_weight_by_metric_options options_;
  metric_weight_state state_;
};

}  // namespace distil::schedule
