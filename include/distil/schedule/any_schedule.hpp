#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "distil/schedule/time.hpp"

namespace distil::schedule {

/// Any schedule whose run has a length, chosen while the program runs:
///
///     any_schedule temperature = constant(4) | over(steps);
///     if (anneal) temperature = cosine(4, 1) | over(steps);
///
/// A value: a copy never sees what happens to the original. Copies share the schedule they hold, which
/// nothing can change, so copying costs no allocation and copies may be read from several threads.
class any_schedule {
 public:
  template <class S>
  requires(!std::same_as<S, any_schedule>) && timed<S> any_schedule(S schedule)
      : held_(std::make_shared<holder<S> const>(std::move(schedule))) {}

  // A move would leave nothing behind to ask, so there is none: moving copies.
  any_schedule(any_schedule const&) = default;
  any_schedule& operator=(any_schedule const&) = default;

  double operator()(run_progress progress) const { return held_->by_progress(progress.value()); }
  double at(run_step step) const { return held_->by_step(step.value()); }
  double total_steps() const { return held_->length(); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual double by_progress(double progress) const = 0;
    virtual double by_step(double step) const = 0;
    virtual double length() const = 0;
  };

  template <class S>
  struct holder final : interface {
    explicit holder(S schedule) : held(std::move(schedule)) {}
    double by_progress(double progress) const override { return held(progress); }
    double by_step(double step) const override { return held.at(step); }
    double length() const override { return held.total_steps(); }
    S held;
  };

  std::shared_ptr<interface const> held_;
};

}  // namespace distil::schedule

namespace distil {
using schedule::any_schedule;
}
