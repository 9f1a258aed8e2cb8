#pragma once

#include "distil/response/divergence.hpp"

namespace distil {

/// See `soft_cross_entropy`.
struct soft_cross_entropy_function {
  static constexpr char const* name = "soft_cross_entropy";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};

  template <class Lanes>
  Lanes expectation(Lanes, Lanes log_q) const {
    return -log_q;
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Cross entropy of the student under the teacher's softened distribution: forward KL without the teacher's
/// entropy. The gradient is that of `forward_kl`; the value does not reach 0 when student and teacher agree,
/// so it cannot be compared across teachers or temperatures. @alias soft CE, soft targets
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 sum_i -p_i log q_i, p = softmax(t / T), q = softmax(z / T)
///            [nats]
/// @gradient  w_b / sum w * T (q - p); without the factor T^2: (q - p) / T
/// @error     `bound`
/// @cost      one read of student and teacher and one write, 2 exponentials an element; 2 numbers of scratch
///            a class
/// @example   distil::soft_cross_entropy.with_grad(student, teacher, gradient, {.temperature = 2.0F})
/// @source    Hinton, Vinyals, Dean 2015, arXiv:1503.02531, section 2. PyTorch's kl_div includes the entropy;
///            several libraries that say KL compute this (torchtune's ForwardKLLoss has no T^2: set
///            `scale_by_temperature_squared = false`)
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<soft_cross_entropy_function> soft_cross_entropy{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
