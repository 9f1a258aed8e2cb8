#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "distil/core/text.hpp"

namespace distil {

/// How an average of weights begins, when the first of them say little.
enum class average_start {
  from_teacher,  ///< at what the teacher's memory holds: copy the student there first
  warm_up,       ///< with decay min(decay, (1 + n) / (10 + n)) at step n, as TensorFlow's and timm's averages
  debiased  ///< as the mean of the steps so far with weights decay^age, whatever the memory held: Adam's correction
};

struct moving_average_options {
  /// Of what the teacher is, at each step; within [0, 1). Default 0.999, as in the mean teacher after its ramp-up.
  double decay = 0.999;

  average_start start = average_start::from_teacher;
};

/// All that a `moving_average_teacher` remembers beside the weights, which are the user's.
struct moving_average_state {
  std::int64_t steps = 0;

  friend bool operator==(moving_average_state const&, moving_average_state const&) = default;
};

inline std::string to_text(moving_average_state const& state) { return detail::said("steps=", state.steps); }

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline moving_average_state moving_average_state_from(std::string_view text) {
  detail::field_reader fields("moving_average_state_from", text, "steps=...");
  moving_average_state const state{fields.integer("steps")};
  fields.end();
  return state;
}

/// A teacher whose weights are the exponential moving average of the student's: mean teacher, self-distillation.
///
///     moving_average_teacher average({.decay = 0.999});
///     average.step();                                    // once for each step of the optimizer,
///     for (each layer) average.update(teacher, student); // then for each piece of the weights
///     average.copy(teacher_buffers, student_buffers);    // running statistics are copied, or averaged as the weights
///
///     teacher = d teacher + (1 - d) student
///
/// d is `decay`, or what the start makes of it; with `debiased`, decay (1 - decay^(n - 1)) / (1 - decay^n) at step n, so that
/// the first step copies. Weights are float or double, in as many pieces as there are, and computed in their type: with
/// d = 0.9999 an average of floats that lie within 6e-4 of the student's no longer moves, so keep it in double there. NaN
/// passes from the student to the teacher. Source: Tarvainen and Valpola 2017, arXiv:1703.01780; Kingma and Ba 2015 for the
/// correction.
class moving_average_teacher {
 public:
  /// Throws std::invalid_argument unless 0 <= decay < 1.
  explicit moving_average_teacher(moving_average_options const& options = {}) : options_(options) {
    detail::require(options.decay >= 0.0 && options.decay < 1.0, where, "decay", options.decay,
                    "within [0, 1)");
  }

  /// Begins the next step; returns its decay.
  double step() {
    ++state_.steps;
    return decay();
  }

  /// The decay of the present step, from 1 on; before the first, that of the first.
  [[nodiscard]] double decay() const {
    auto const n = static_cast<double>(std::max<std::int64_t>(1, state_.steps));
    switch (options_.start) {
      case average_start::warm_up:
        return std::min(options_.decay, (1.0 + n) / (10.0 + n));
      case average_start::debiased: {
        if (n == 1.0 || options_.decay == 0.0) return 0.0;
        double const log_decay = std::log(options_.decay);
        return options_.decay * std::expm1((n - 1.0) * log_decay) / std::expm1(n * log_decay);
      }
      default:
        return options_.decay;
    }
  }

  /// One piece of the weights. Throws std::invalid_argument when the sizes differ; nothing is written then.
  void update(std::span<float> teacher, std::span<float const> student) const { average(teacher, student); }
  void update(std::span<double> teacher, std::span<double const> student) const { average(teacher, student); }
  /// An average in double of weights in float.
  void update(std::span<double> teacher, std::span<float const> student) const { average(teacher, student); }

  /// What is not averaged: buffers, counters of batches.
  template <class T>
  void copy(std::span<T> teacher, std::span<T const> student) const {
    require_size(teacher.size(), student.size());
    std::copy(student.begin(), student.end(), teacher.begin());
  }

  [[nodiscard]] moving_average_state save() const { return state_; }
  /// Throws std::invalid_argument when the steps are negative.
  void restore(moving_average_state const& state) {
    detail::require(state.steps >= 0, "moving_average_teacher::restore", "steps", state.steps, ">= 0");
    state_ = state;
  }

 private:
  static constexpr char const* where = "moving_average_teacher";

  static void require_size(std::size_t teacher, std::size_t student) {
    detail::require(
        teacher == student, where, "teacher", [&] { return detail::said("of size ", teacher); },
        [&] { return detail::said("of the student's size, ", student); });
  }

  template <class Teacher, class Student>
  void average(std::span<Teacher> teacher, std::span<Student const> student) const {
    require_size(teacher.size(), student.size());
    auto const share = static_cast<Teacher>(1.0 - decay());
    Teacher* const to = teacher.data();
    Student const* const from = student.data();
    std::size_t const size = teacher.size();
    if (share == Teacher(1)) {  // what was there may be anything
      for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<Teacher>(from[i]);
      return;
    }
    for (std::size_t i = 0; i < size; ++i) to[i] += share * (static_cast<Teacher>(from[i]) - to[i]);
  }

  moving_average_options options_;
  moving_average_state state_;
};

}  // namespace distil
