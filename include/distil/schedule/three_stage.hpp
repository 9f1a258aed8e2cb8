#pragma once

#include <cmath>

#include "distil/schedule/shapes.hpp"
#include "distil/schedule/time.hpp"

namespace distil::schedule {

/// Values and boundaries of `three_stage`. The values suit a temperature: sharp while the student knows
/// nothing, soft while it learns, fairly sharp to finish. No paper fixes the boundaries; these give the hold
/// the middle 40 %.
struct three_stage_options {
  double warm_up_value = 1;
  double hold_value = 3;
  double final_value = 1.5;
  double warm_up_end = 0.3;  ///< progress at which the hold is reached
  double hold_end = 0.7;     ///< progress at which it is left
};

/// Warm-up, hold, final, as a function of progress x:
///
///     0           ... warm_up_end    straight line from warm_up_value to hold_value
///     warm_up_end ... hold_end       hold_value
///     hold_end    ... 1              half a cosine from hold_value to final_value
///
/// Continuous. A stage of no length is left out: with warm_up_end = 0 it starts on hold_value, with
/// hold_end = 1 it ends there. @alias WSD, warm-up stable decay.
/// Preconditions: finite values, 0 <= warm_up_end <= hold_end <= 1.
class three_stage {
 public:
  constexpr explicit three_stage(three_stage_options const& options = {})
      : rise_(finite("warm_up_value", options.warm_up_value), finite("hold_value", options.hold_value)),
        fall_(options.hold_value, finite("final_value", options.final_value)),
        hold_(options.hold_value),
        warm_up_end_(options.warm_up_end),
        hold_end_(options.hold_end) {
    detail::require(warm_up_end_ >= 0 && warm_up_end_ <= 1, where, "warm_up_end", warm_up_end_,
                    "within [0, 1]");
    detail::require(hold_end_ >= warm_up_end_ && hold_end_ <= 1, where, "hold_end", hold_end_,
                    "within [warm_up_end, 1]");
  }

  double operator()(run_progress progress) const {
    double const x = progress.value();
    if (x < warm_up_end_) return rise_(x / warm_up_end_);
    if (x <= hold_end_) return hold_;
    return fall_((x - hold_end_) / (1 - hold_end_));
  }

 private:
  static constexpr auto where = "schedule::three_stage";
  static constexpr double finite(char const* argument, double value) {
    return detail::finite(where, argument, value);
  }

  linear rise_;
  cosine fall_;
  double hold_, warm_up_end_, hold_end_;
};

}  // namespace distil::schedule
