#pragma once

#include "distil/response/softmax/softmax_function.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
struct softmax_kernel : partition_kernel<T> {
  using partition_kernel<T>::partition_kernel;

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }
  [[nodiscard]] DISTIL_INLINE scaled_exponentials<T> gradient(simd::lanes<T> decay, simd::kept<T>) const {
    return {decay / this->sum_};
  }
};

}  // namespace kernels

/// See `softmax`.
struct softmax_function_object : softmax_function<kernels::softmax_kernel, false> {
  static constexpr error_bound bound{.value = 0, .gradient = 16};
};

/// Class probabilities at a temperature. @alias softened distribution, soft targets
///
/// @formula   q_i = e^(z_i / T) / sum_j e^(z_j / T), row by row
/// @call      softmax(logits, output, {.temperature = T}); softmax.pull_back(probabilities, upstream,
///            gradient, {...})
/// @param     logits   [rows, classes], finite or -inf (class masked: probability 0); output may be the
///            logits themselves
/// @pullback  dL/dz = q (g - sum q g) / T for g = dL/dq; `gradient` may be `upstream` or `probabilities`
///            themselves. The temperature must be that of the forward call
/// @throws    std::invalid_argument when a shape or temperature is refused; nothing is written then
/// @error     `bound.gradient` epsilons absolute, for the output
/// @nan       a NaN or +inf logit makes its row NaN, no other. A fully masked row is all 0
/// @cost      one read and one write, 1 exponential an element; 1 number of scratch a class
/// @source    Bridle 1990
/// @example   distil::softmax(teacher, soft_targets, {.temperature = 4.0F})
inline constexpr softmax_function_object softmax{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
