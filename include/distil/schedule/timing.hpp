#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "distil/schedule/time.hpp"

/// How long a schedule takes, and what comes after it:
///
///     cosine(4, 1) | over(1000)                                    1000 steps, so .at(step) works
///     linear(1, 4) | over(2) | then(cosine(4, 1) | over(8))        one after the other: 10 steps
///     (the line above) | over(1000)                                the same, stretched to 1000
namespace distil::schedule {

/// Where the end of a schedule lies in a run of steps counted from 0.
enum class end_of_run {
  after_last_step,  ///< at step `total`, which a run of `total` steps does not take: the last stands one step before it
  at_last_step  ///< at step `total - 1`: the last step has the end's value, also where it is the only one
};

/// A schedule on a run of known length; answers both questions. Made by `schedule | over(total_steps)`.
///
/// What answers by progress is stretched: at(step) = inner(step / total). What only counts steps keeps its
/// steps: (progress) = inner.at(progress * total). Steps after the end have the value of the end.
/// Step `total` is the end itself, so the last of `total` steps counted from 0 stands one step before it; with
/// `end_of_run::at_last_step` what answers by progress is stretched over total - 1 steps.
template <schedule_like S>
class bound {
 public:
  constexpr bound(S inner, double total_steps, end_of_run end = end_of_run::after_last_step)
      : inner_(std::move(inner)),
        total_(total_steps),
        end_(end == end_of_run::at_last_step ? std::max(total_steps - 1.0, 0.0) : total_steps) {}

  constexpr double operator()(run_progress progress) const {
    if constexpr (shape<S>) {
      return end_ == total_ ? inner_(progress.value()) : at(detail::snapped(progress.value() * total_));
    } else {
      return inner_.at(detail::snapped(progress.value() * total_));
    }
  }
  constexpr double at(run_step step) const {
    if constexpr (shape<S>) {
      return inner_(step.value() >= end_ ? 1.0 : step.value() / end_);
    } else {
      return inner_.at(std::min(step.value(), total_));
    }
  }
  constexpr double total_steps() const noexcept { return total_; }

 private:
  S inner_;
  double total_;
  double end_;  ///< the step at which a shape ends
};

/// The length of a run in steps, as in `cosine(4, 1) | over(1000)`; `over(1000, end_of_run::at_last_step)` gives the last of
/// them, step 999, the end's value. Any arithmetic type, fractions too.
/// Throws std::invalid_argument unless it is finite and above 0.
class over {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr explicit over(Number total_steps, end_of_run end = end_of_run::after_last_step)
      : total_(detail::positive("schedule::over", "total_steps", static_cast<double>(total_steps))),
        end_(end) {}

  template <schedule_like S>
  friend constexpr bound<S> operator|(S inner, over const& length) {
    return {std::move(inner), length.total_, length.end_};
  }

 private:
  double total_;
  end_of_run end_;
};

/// One schedule after another, each on its own clock. The second takes over at the first's last step, so the
/// whole is continuous where second(0) = first(1). Made by `first | then(second)`.
template <timed First, timed Second>
class sequence {
 public:
  constexpr sequence(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}

  constexpr double operator()(run_progress progress) const {
    return at(detail::snapped(progress.value() * total_steps()));
  }
  constexpr double at(run_step step) const {
    double const boundary = first_.total_steps();
    return step.value() < boundary ? first_.at(step.value()) : second_.at(step.value() - boundary);
  }
  constexpr double total_steps() const { return first_.total_steps() + second_.total_steps(); }

 private:
  First first_;
  Second second_;
};

/// What follows, as in `linear(0, 1) | over(20) | then(cosine(1, 0.3) | over(80))`.
template <timed Second>
class then {
 public:
  constexpr explicit then(Second second) : second_(std::move(second)) {}

  template <timed First>
  friend constexpr sequence<First, Second> operator|(First first, then const& next) {
    return {std::move(first), next.second_};
  }

 private:
  Second second_;
};

}  // namespace distil::schedule
