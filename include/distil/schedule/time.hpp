#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

#include "distil/core/contract.hpp"

/// The two questions a schedule answers, and the rules that hold for every one of them.
///
/// "What is the value at this share of the run?" is `schedule(progress)`; "what is it at this step?" is
/// `schedule.at(step)`. A step is whatever the trainer counts: batches, epochs, tokens.
namespace distil::schedule {

namespace detail {

/// `distil::detail::require` for a number, usable in constant expressions.
constexpr void require(bool holds, char const* where, char const* argument, double was, char const* must_be) {
  if (!holds) [[unlikely]] {
    distil::detail::require(false, where, argument, was, must_be);
  }
}

constexpr bool is_finite(double value) noexcept {
  return value >= std::numeric_limits<double>::lowest() && value <= std::numeric_limits<double>::max();
}

/// The value, once it is known to be finite.
constexpr double finite(char const* where, char const* argument, double value) {
  require(is_finite(value), where, argument, value, "a finite number");
  return value;
}

/// The value, once it is known to be finite and above zero.
constexpr double positive(char const* where, char const* argument, double value) {
  require(is_finite(value) && value > 0, where, argument, value, "a finite number above 0");
  return value;
}

/// The whole number that `value` misses only by the rounding of one division and one product, else `value`:
/// (step / total) * total has to fall on the step again, or a stair would start one step late.
constexpr double snapped(double value) noexcept {
  constexpr double exact_below = 4503599627370496.0;  // 2^52: above it every double is whole
  if (!(value >= 0 && value < exact_below)) return value;
  auto const nearest = static_cast<double>(static_cast<long long>(value + 0.5));
  double const distance = nearest > value ? nearest - value : value - nearest;
  return distance <= 4 * std::numeric_limits<double>::epsilon() * value ? nearest : value;
}

}  // namespace detail

/// The share of the run that is done: 0 at its start, 1 at its end. Takes any arithmetic type; what lies
/// outside [0, 1] is clamped. Throws std::invalid_argument on NaN.
class run_progress {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr run_progress(Number progress) : value_(static_cast<double>(progress)) {
    detail::require(value_ == value_, "schedule", "progress", value_,
                    "a number, 0 at the start and 1 at the end");
    value_ = std::clamp(value_, 0.0, 1.0);
  }
  constexpr double value() const noexcept { return value_; }

 private:
  double value_;
};

/// The steps that are done: 0 before the first. Takes any arithmetic type, fractions too; what is negative
/// counts as 0. Throws std::invalid_argument on NaN.
class run_step {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr run_step(Number step) : value_(static_cast<double>(step)) {
    detail::require(value_ == value_, "schedule", "step", value_, "a number of steps, counted from 0");
    value_ = std::max(value_, 0.0);
  }
  constexpr double value() const noexcept { return value_; }

 private:
  double value_;
};

/// Answers `schedule(progress)`: a curve without a length. Any function of one double is a shape.
template <class S>
concept shape = std::copy_constructible<S> && requires(S const& schedule, double progress) {
  { schedule(progress) } -> std::convertible_to<double>;
};

/// Answers `schedule.at(step)`.
template <class S>
concept step_rule = std::copy_constructible<S> && requires(S const& schedule, double step) {
  { schedule.at(step) } -> std::convertible_to<double>;
};

/// Answers at least one of the two questions.
template <class S>
concept schedule_like = shape<S> || step_rule<S>;

/// Knows how long its run is, and therefore answers both: `schedule(p)` is `schedule.at(p * total_steps())`.
template <class S>
concept timed = shape<S> && step_rule<S> && requires(S const& schedule) {
  { schedule.total_steps() } -> std::convertible_to<double>;
};

}  // namespace distil::schedule
