#pragma once

#include "distil/response/divergence.hpp"

namespace distil {

/// See `forward_kl`.
struct forward_kl_function {
  static constexpr char const* name = "forward_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};

  /// The expectation is log p - log q, so a small value can be summed without cancellation.
  static constexpr bool is_kl = true;

  template <class Lanes>
  Lanes expectation(Lanes log_p, Lanes log_q) const {
    return log_p - log_q;
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Forward Kullback-Leibler divergence KL(teacher || student) of softened distributions: Hinton's soft loss.
/// @alias     KD, KL, soft targets, ForwardKLLoss; of rows of scores, padded with -inf: list KL, ListNet
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 sum_i p_i (log p_i - log q_i), p = softmax(t / T), q =
///            softmax(z / T) [nats]. Never negative. +inf where the teacher gives mass (that the arithmetic
///            type can hold) to a class the student has masked
/// @gradient  w_b / sum w * T (q - p); without the factor T^2: (q - p) / T
/// @error     `bound`
/// @cost      one read of student and teacher and one write, 2 exponentials an element; one read more for a
///            row whose divergence is under 2^-6 nats (2^-20 in double) and for a gradient of the
///            temperature; 2 numbers of scratch a class
/// @source    Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2. The mean is over rows: PyTorch's
///            `batchmean`, not its `mean`, which also divides by classes. torchtune, TRL, Liger and
///            TextBrewer have no factor T^2: set `scale_by_temperature_squared = false`
/// @example   distil::forward_kl.with_grad(student, teacher, gradient, {.temperature = 4.0F})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<forward_kl_function> forward_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
