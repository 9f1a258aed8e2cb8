#pragma once

#include "distil/response/softmax/softmax_function.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
struct log_softmax_kernel : partition_kernel<T> {
  static constexpr T masked_output = -simd::infinity<T>;
  static constexpr bool keeps_exponentials = false;  // it needs the logits, and one multiplication
  using partition_kernel<T>::partition_kernel;

  struct block_gradient {
    simd::lanes<T> inverse, log_sum;
    template <class Strips>
    DISTIL_INLINE simd::lanes<T> operator()(simd::student_register<T> const& z, Strips const&, index,
                                            simd::kept<T>) const {
      return fma(z.centred, inverse, -log_sum);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(simd::lanes<T>, simd::kept<T>) const {
    return {this->inverse_, this->log_sum_};
  }
};

}  // namespace kernels

/// See `log_softmax`.
struct log_softmax_function_object : softmax_function<kernels::log_softmax_kernel, true> {
  static constexpr error_bound bound{.value = 0, .gradient = 16};
};

/// Log-probabilities at a temperature.
///
/// @formula   log q_i = z_i / T - log sum_j e^(z_j / T), row by row [nats]
/// @call      log_softmax(logits, output, {.temperature = T}); log_softmax.pull_back(log_probabilities,
///            upstream, gradient, {...})
/// @param     logits   [rows, classes], finite or -inf (class masked: -inf); output may be the logits
///            themselves
/// @pullback  dL/dz = (g - q sum g) / T for g = dL/d log q, masked classes left out of the sum; `gradient`
///            may be `upstream` or `log_probabilities` themselves. The temperature must be that of the
///            forward call
/// @throws    std::invalid_argument when a shape or temperature is refused; nothing is written then
/// @error     `bound.gradient` epsilons relative to max(1, |log q|), for the output
/// @nan       a NaN or +inf logit makes its row NaN, no other. A fully masked row is all -inf
/// @cost      two reads and one write, 1 exponential an element
/// @source    Blanchard, Higham, Higham 2021, on its accurate evaluation
/// @example   distil::log_softmax(teacher, stored, {.temperature = 4.0F})
inline constexpr log_softmax_function_object log_softmax{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
