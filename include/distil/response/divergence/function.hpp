#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>

#include "distil/core/loss_value.hpp"
#include "distil/core/row_options.hpp"
#include "distil/simd/logarithm.hpp"

/// What the Function of a `divergence` may say beyond the three members that every one has (see response/divergence.hpp).
///
/// Together: `at(class)` gives summand and derivatives at once, from probabilities that the engine knows anyway.
///
/// Functions of sums: `at` may give an array of summands, and `log_at(class)` the logarithm of one more, for sums beyond
/// the range of numbers. `outcome(sums)` then says what the divergence is of the complete sums (the last of which is the
/// logarithm of the sum of `log_at`), and by what each summand's derivative counts: the outer derivative, or what the
/// paper holds constant.
///
/// A blend of both Kullback-Leibler divergences says so by `kl_weights()` besides, and takes one sweep less.
///
/// Own options: `Function::options` is the aggregate the loss is called with, the members of `divergence_options` around
/// its own; a Function is made from it for each call, and `check(where)` refuses what is out of range,
/// `check_numbers(where, type)` what is no number of the type that the loss computes in (see core/number_checks.hpp).
namespace distil {

/// One class of a row. Where both logarithms are -inf the Function's answer is not looked at.
template <class Lanes>
struct class_probabilities {
  Lanes log_p, log_q;  ///< of teacher and student; either may be -inf
  Lanes p, q;
};

/// What multiplies KL(p || q) and KL(q || p) in a blend of both.
struct kl_weights {
  double forward, reverse;
};

/// What one class adds to a sum, and its derivatives.
template <class Lanes>
struct summand {
  Lanes value, d_log_q, d_log_p;
};

/// What one class adds to a sum that is known by its logarithm, log sum e^exponent; derivatives of the exponent.
template <class Lanes>
struct log_summand {
  Lanes exponent, d_log_q, d_log_p;
};

/// The divergence from its complete sums, and the weight of each sum's derivative.
template <class Lanes, std::size_t Count>
struct divergence_outcome {
  Lanes value;
  std::array<Lanes, Count> weights;
};

/// Gives a Function that has `at` with one summand the members that every Function has.
template <class Function>
struct function_of_class {
  template <class Lanes>
  DISTIL_INLINE Lanes value(Lanes log_p, Lanes log_q) const {
    return here(log_p, log_q).value;
  }
  template <class Lanes>
  DISTIL_INLINE Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return here(log_p, log_q).d_log_q;
  }
  template <class Lanes>
  DISTIL_INLINE Lanes d_log_p(Lanes log_p, Lanes log_q) const {
    return here(log_p, log_q).d_log_p;
  }

 private:
  template <class Lanes>
  DISTIL_INLINE summand<Lanes> here(Lanes log_p, Lanes log_q) const {
    return static_cast<Function const&>(*this).at(
        class_probabilities<Lanes>{log_p, log_q, exp(log_p), exp(log_q)});
  }
};

/// Options of every divergence between a teacher and a student. Divergences with parameters have them in an aggregate of
/// their own, between the factors and the rows.
struct divergence_options {
  /// Divides both logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Divides the teacher's logits in the place of `temperature`, which then is the student's alone: one number or one
  /// per row; within [1e-15, 1e15]. For logits, and distributions that say what they were captured at. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the loss by T^2, which keeps the size of its gradient when T changes (Hinton et al. 2015,
  /// section 2); by the product of both temperatures where they differ. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the loss in the place of T^2 or 1, and does not move with the temperatures: one number or one per row;
  /// finite and >= 0; 0 leaves a row out of the sum whatever it holds, and in its divisor. Default: none, as the switch
  /// above says.
  std::optional<row_parameter> factor = std::nullopt;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where `with_grad` and the value form write dL/dT of the reduced loss: one element for the sum over rows
  /// (only with one temperature), or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set; `temperature_gradient` is then by the student's alone.
  std::span<double> teacher_temperature_gradient = {};
};

namespace detail {

/// The options that a Function's call takes.
template <class Function>
struct options_of_function {
  using type = divergence_options;
};
template <class Function>
requires requires { typename Function::options; }
struct options_of_function<Function> {
  using type = typename Function::options;
};

/// The bound that a Function states; a Function of one's own may do without.
template <class Function>
struct bound_of_function {};
template <class Function>
requires requires { Function::bound; }
struct bound_of_function<Function> {
  static constexpr error_bound bound = Function::bound;
};

/// The Function of one call.
template <class Function>
Function function_for(Function const& function, divergence_options const&) {
  return function;
}
template <class Function, class Options>
requires std::same_as<Options, typename Function::options> Function function_for(Function const&,
                                                                                 Options const& options) {
  return Function(options);
}

/// The members that all divergences share. Those that came last may be missing from a user's own options.
inline divergence_options const& shared_options(divergence_options const& options) { return options; }
template <class Options>
divergence_options shared_options(Options const& options) {
  divergence_options shared{.temperature = options.temperature,
                            .scale_by_temperature_squared = options.scale_by_temperature_squared,
                            .rows = options.rows,
                            .accumulate = options.accumulate,
                            .temperature_gradient = options.temperature_gradient};
  if constexpr (requires { options.teacher_temperature; }) {
    shared.teacher_temperature = options.teacher_temperature;
    shared.teacher_temperature_gradient = options.teacher_temperature_gradient;
  }
  if constexpr (requires { options.factor; }) shared.factor = options.factor;
  return shared;
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// The term of a Function and a teacher: `make(function, teacher, divergence_options)`. That of dense teachers is in
/// divergence/term.hpp; the header of another form of teacher specialises it.
template <class Function, class Teacher>
struct term_of;

namespace kernels {

/// A divergence that is the teacher's expectation of something linear in the logarithms:
/// D = sum p * expectation(log p, log q) with d expectation / d log q = -1. Then psi = -p and sum psi = -1, so that value
/// and gradient need no sweep in between.
template <class Function>
concept teacher_expectation = requires(Function const& function, simd::lanes<float> x) {
  function.expectation(x, x);
};

}  // namespace kernels

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
