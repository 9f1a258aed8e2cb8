#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "distil/schedule/time.hpp"

/// Schedules that are functions of progress x in [0, 1] alone. Each is exact at both ends, continuous unless
/// it says otherwise, and refuses parameters that are not finite (std::invalid_argument).
namespace distil::schedule {

/// v, whatever the progress and the step.
class constant {
 public:
  constexpr explicit constant(double value) : value_(detail::finite("schedule::constant", "value", value)) {}
  constexpr double operator()(run_progress) const { return value_; }
  constexpr double at(run_step) const { return value_; }

 private:
  double value_;
};

/// start + (end - start) x. Monotone.
class linear {
 public:
  constexpr linear(double start, double end)
      : start_(detail::finite("schedule::linear", "start", start)),
        end_(detail::finite("schedule::linear", "end", end)) {}
  constexpr double operator()(run_progress x) const { return std::lerp(start_, end_, x.value()); }

 private:
  double start_, end_;
};

/// end + (start - end) (1 + cos(pi x)) / 2: flat at both ends, steepest in the middle. Monotone.
/// Source: Loshchilov and Hutter, SGDR, 2017, equation 5, one period.
class cosine {
 public:
  constexpr cosine(double start, double end)
      : start_(detail::finite("schedule::cosine", "start", start)),
        end_(detail::finite("schedule::cosine", "end", end)) {}
  double operator()(run_progress x) const {
    // (1 - cos(pi x)) / 2 as a square: no cancellation near the start, and 1 exactly at the end.
    double const sine = std::sin(std::numbers::pi / 2 * x.value());
    return std::lerp(start_, end_, sine * sine);
  }

 private:
  double start_, end_;
};

/// start * rate^x: the value is `start * rate` at the end, and falls by equal factors in equal times.
/// Monotone. For start * rate^step see `step_decay` with `every` = 1.
class exponential {
 public:
  /// Precondition: rate > 0.
  constexpr exponential(double start, double rate)
      : start_(detail::finite("schedule::exponential", "start", start)),
        rate_(detail::positive("schedule::exponential", "rate", rate)) {}

  /// The exponential from `start` to `end`, start (end / start)^x; the end is met to one rounding.
  /// Precondition: both have the same sign and neither is 0.
  static constexpr exponential between(double start, double end) {
    constexpr auto where = "schedule::exponential::between";
    detail::require(detail::finite(where, "start", start) != 0, where, "start", start, "other than 0");
    detail::require(detail::finite(where, "end", end) / start > 0, where, "end", end,
                    "other than 0 and of the same sign as start");
    return {start, end / start};
  }
  double operator()(run_progress x) const { return start_ * std::pow(rate_, x.value()); }

 private:
  double start_, rate_;
};

/// A point that a piecewise schedule goes through.
struct knot {
  double progress;
  double value;
};

/// Straight lines from knot to knot; the first and last values hold outside them. Two knots at the same
/// progress are a jump, and the later one holds there; without a jump it is continuous.
/// Precondition: at least one knot, progress within [0, 1] and never falling.
class piecewise {
 public:
  explicit piecewise(std::vector<knot> knots) : knots_(std::move(knots)) {
    constexpr auto where = "schedule::piecewise";
    distil::detail::require(!knots_.empty(), where, "knots", "empty", "at least one knot");
    for (double before = 0; knot const& each : knots_) {
      detail::require(each.progress >= before && each.progress <= 1, where, "progress of a knot",
                      each.progress, "within [0, 1] and not below the one before");
      detail::finite(where, "value of a knot", each.value);
      before = each.progress;
    }
  }

  double operator()(run_progress x) const {
    auto const right = std::upper_bound(knots_.begin(), knots_.end(), x.value(),
                                        [](double at, knot const& k) { return at < k.progress; });
    if (right == knots_.begin()) return knots_.front().value;
    if (right == knots_.end()) return knots_.back().value;
    knot const left = *(right - 1);
    return std::lerp(left.value, right->value,
                     (x.value() - left.progress) / (right->progress - left.progress));
  }

 private:
  std::vector<knot> knots_;
};

}  // namespace distil::schedule
