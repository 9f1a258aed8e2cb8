#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "distil/schedule/shapes.hpp"
#include "distil/schedule/time.hpp"

/// Schedules kept in a range, added, subtracted and multiplied, with each other and with numbers:
///
///     cosine(8, 0.5) | clamp(1, 5)              never outside [1, 5]
///     1.0 - soft_weight                         the hard weight that completes a soft weight
///     warm_up(20) * (cosine(0.9, 0.4) | over(100))
namespace distil::schedule {

/// A schedule whose values go through a function; answers what the inner one answers. Made by
/// `schedule | clamp(lower, upper)` and its like.
template <schedule_like S, class Adjustment>
class adjusted {
 public:
  constexpr adjusted(S inner, Adjustment const& adjustment)
      : inner_(std::move(inner)), adjustment_(adjustment) {}

  constexpr double operator()(run_progress progress) const requires shape<S> {
    return adjustment_(static_cast<double>(inner_(progress.value())));
  }
  constexpr double at(run_step step) const requires step_rule<S> {
    return adjustment_(static_cast<double>(inner_.at(step.value())));
  }
  constexpr double total_steps() const requires timed<S> { return inner_.total_steps(); }

 private:
  S inner_;
  Adjustment adjustment_;
};

namespace detail {

/// What a schedule is adjusted by, a function of one value that is no schedule.
struct adjustment {};

}  // namespace detail

template <schedule_like S, class Adjustment>
requires std::is_base_of_v<detail::adjustment, Adjustment>
constexpr adjusted<S, Adjustment> operator|(S inner, Adjustment const& adjustment) {
  return {std::move(inner), adjustment};
}

/// A range for values, as in `cosine(8, 0.5) | clamp(1, 5)`. Throws std::invalid_argument unless both ends
/// are finite and lower <= upper.
class clamp : detail::adjustment {
 public:
  constexpr clamp(double lower, double upper)
      : lower_(detail::finite("schedule::clamp", "lower", lower)),
        upper_(detail::finite("schedule::clamp", "upper", upper)) {
    detail::require(lower <= upper, "schedule::clamp", "lower", lower, "at most upper");
  }

 private:
  template <schedule_like, class>
  friend class adjusted;

  constexpr double operator()(double value) const { return std::clamp(value, lower_, upper_); }

  double lower_, upper_;
};

/// Operation(first, second) at every moment. It answers what both answer; when one of them is timed it takes
/// over that length, and with it the second question. Two lengths must agree (std::invalid_argument).
template <class Operation, schedule_like First, schedule_like Second>
class combined {
  static constexpr bool has_length = timed<First> || timed<Second>;
  static constexpr bool by_progress = shape<First> && shape<Second>;
  static constexpr bool by_step = step_rule<First> && step_rule<Second>;

 public:
  constexpr combined(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {
    if constexpr (timed<First> && timed<Second>) {
      detail::require(first_.total_steps() == second_.total_steps(), "schedule",
                      "total_steps of the second operand", second_.total_steps(),
                      "equal to that of the first");
    }
  }

  constexpr double operator()(run_progress progress) const requires(by_progress || (by_step && has_length)) {
    if constexpr (by_progress) {
      return Operation{}(first_(progress.value()), second_(progress.value()));
    } else {
      return at(detail::snapped(progress.value() * total_steps()));
    }
  }
  constexpr double at(run_step step) const requires(by_step || (by_progress && has_length)) {
    if constexpr (by_step) {
      double const now = limited(step.value());
      return Operation{}(first_.at(now), second_.at(now));
    } else {
      return (*this)(step.value() / total_steps());
    }
  }
  constexpr double total_steps() const requires has_length {
    if constexpr (timed<First>) {
      return first_.total_steps();
    } else {
      return second_.total_steps();
    }
  }

 private:
  constexpr double limited(double step) const {
    if constexpr (has_length) {
      return std::min(step, static_cast<double>(total_steps()));
    } else {
      return step;
    }
  }

  First first_;
  Second second_;
};

namespace detail {

template <class T>
concept operand = schedule_like<T> || std::is_arithmetic_v<T>;

template <class A, class B>
concept operands = operand<A> && operand<B> &&(schedule_like<A> || schedule_like<B>);

template <operand T>
constexpr auto as_schedule(T value) {
  if constexpr (schedule_like<T>) {
    return value;
  } else {
    return constant(static_cast<double>(value));
  }
}

template <class Operation, operand A, operand B>
constexpr auto combine(A first, B second) {
  auto left = as_schedule(std::move(first));
  auto right = as_schedule(std::move(second));
  return combined<Operation, decltype(left), decltype(right)>(std::move(left), std::move(right));
}

}  // namespace detail

template <class A, class B>
requires detail::operands<A, B>
constexpr auto operator+(A first, B second) {
  return detail::combine<std::plus<>>(std::move(first), std::move(second));
}

template <class A, class B>
requires detail::operands<A, B>
constexpr auto operator-(A first, B second) {
  return detail::combine<std::minus<>>(std::move(first), std::move(second));
}

template <class A, class B>
requires detail::operands<A, B>
constexpr auto operator*(A first, B second) {
  return detail::combine<std::multiplies<>>(std::move(first), std::move(second));
}

}  // namespace distil::schedule
