#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "distil/schedule/time.hpp"

/// Schedules that count steps: they answer `at(step)` as they are, and `(progress)` once `over(total_steps)`
/// has told them how long the run is.
namespace distil::schedule {

/// start * factor^floor(step / every): stairs of equal length. With `every` = 1, start * factor^step.
/// Preconditions: factor > 0, every > 0. @alias StepLR.
class step_decay {
 public:
  constexpr step_decay(double start, double factor, double every)
      : start_(detail::finite("schedule::step_decay", "start", start)),
        factor_(detail::positive("schedule::step_decay", "factor", factor)),
        every_(detail::positive("schedule::step_decay", "every", every)) {}
  double at(run_step step) const {
    return start_ * std::pow(factor_, std::floor(detail::snapped(step.value() / every_)));
  }

 private:
  double start_, factor_, every_;
};

/// start * factor^(number of milestones reached); a milestone is reached at its own step.
/// Preconditions: factor > 0; milestones rise and none is negative. Without milestones it is constant.
class multi_step {
 public:
  multi_step(double start, double factor, std::vector<double> milestones)
      : start_(detail::finite("schedule::multi_step", "start", start)),
        factor_(detail::positive("schedule::multi_step", "factor", factor)),
        milestones_(std::move(milestones)) {
    for (double before = -1; double const milestone : milestones_) {
      detail::require(detail::is_finite(milestone) && milestone >= 0 && milestone > before,
                      "schedule::multi_step", "a milestone", milestone,
                      "a step, 0 or later, after the milestone before");
      before = milestone;
    }
  }
  double at(run_step step) const {
    auto const next = std::upper_bound(milestones_.begin(), milestones_.end(), step.value());
    return start_ * std::pow(factor_, static_cast<double>(next - milestones_.begin()));
  }

 private:
  double start_, factor_;
  std::vector<double> milestones_;
};

/// max(floor, start / divisor^floor(step / every)): divided every n steps, never below the floor. It
/// gets there after every * log(start / floor) / log(divisor) steps, hence the name.
/// Preconditions: divisor >= 1, every > 0, floor <= start.
class logarithmic {
 public:
  constexpr logarithmic(double start, double divisor, double every, double floor)
      : start_(detail::finite("schedule::logarithmic", "start", start)),
        divisor_(detail::finite("schedule::logarithmic", "divisor", divisor)),
        every_(detail::positive("schedule::logarithmic", "every", every)),
        floor_(detail::finite("schedule::logarithmic", "floor", floor)) {
    detail::require(divisor >= 1, "schedule::logarithmic", "divisor", divisor, "at least 1");
    detail::require(floor <= start, "schedule::logarithmic", "floor", floor, "at most start");
  }
  double at(run_step step) const {
    return std::max(floor_, start_ / std::pow(divisor_, std::floor(detail::snapped(step.value() / every_))));
  }

 private:
  double start_, divisor_, every_, floor_;
};

/// start + (end - start) min(step / steps, 1): a ramp of `steps` steps, then `end`. With the default ends it
/// is the factor min(step / steps, 1) that a weight is multiplied with. Precondition: steps > 0.
/// Unlike `linear(start, end) | over(steps)` the run may go on after it, for as long as `over` then says.
class warm_up {
 public:
  constexpr explicit warm_up(double steps, double start = 0, double end = 1)
      : steps_(detail::positive("schedule::warm_up", "steps", steps)),
        start_(detail::finite("schedule::warm_up", "start", start)),
        end_(detail::finite("schedule::warm_up", "end", end)) {}
  constexpr double at(run_step step) const {
    return std::lerp(start_, end_, std::min(step.value() / steps_, 1.0));
  }

 private:
  double steps_, start_, end_;
};

}  // namespace distil::schedule
