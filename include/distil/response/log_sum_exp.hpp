#pragma once

#include "distil/response/softmax/logits_loss.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
class log_sum_exp_kernel : public partition_kernel<T> {
 public:
  using partition_kernel<T>::partition_kernel;
  struct refinement {
    simd::lanes<T> q{0}, q_u{0};
  };

  DISTIL_INLINE void close(simd::running_maximum<T> const& maximum) {
    partition_kernel<T>::close(maximum);
    top_ = maximum.shift() * this->inverse_;
    probability_scale_ = this->scale_ * this->inverse_ / this->sum_;
  }

  // d/dT log sum e^(z/T) = -(1/T) E_q[z / T]. One sweep more when asked for: with_grad alone must not pay for
  // it.
  [[nodiscard]] DISTIL_INLINE bool refines() const { return this->wants_derivative_; }
  template <class Strips>
  DISTIL_INLINE void refine(refinement& sums, simd::lanes<T> centred, Strips const&, index) const {
    simd::lanes<T> const u = centred * this->inverse_;
    simd::lanes<T> const q = exp_nonpositive(fma(centred, this->inverse_, -this->log_sum_));
    sums.q += q;
    sums.q_u += zero_safe_product(q, u);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.q += sums.q;
    refined_.q_u += sums.q_u;
  }
  DISTIL_INLINE void join_refined(log_sum_exp_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    slope_ = -this->inverse_ * (this->axis_.sum(refined_.q_u) / this->axis_.sum(refined_.q) + top_);
  }

  [[nodiscard]] DISTIL_INLINE simd::lanes<T> value() const { return top_ + this->log_sum_; }
  [[nodiscard]] DISTIL_INLINE simd::lanes<T> temperature_derivative() const { return slope_; }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }
  [[nodiscard]] DISTIL_INLINE scaled_exponentials<T> gradient(simd::lanes<T> decay, simd::kept<T>) const {
    return {probability_scale_ * decay};
  }

 private:
  refinement refined_;
  simd::lanes<T> top_{0}, probability_scale_{0}, slope_{0};
};

struct log_sum_exp_name {
  static constexpr char const* text = "log_sum_exp";
};

}  // namespace kernels

/// See `log_sum_exp`.
struct log_sum_exp_loss : logits_loss<kernels::log_sum_exp_name, kernels::log_sum_exp_kernel> {
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};
};

/// Logarithm of the partition sum at a temperature. @alias LSE, free energy
///
/// @formula   L = (1 / sum w) * sum_b w_b log sum_i e^(z_bi / T) [nats] (not multiplied by T); `rows.values`
///            gets each row's
/// @param     logits   [rows, classes], finite or -inf (class masked: adds nothing)
/// @gradient  w_b / sum w * softmax(z / T) / T
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, the value relative to |max z / T| + 1 + log C
/// @nan       a NaN or +inf logit makes its row NaN, no other. A fully masked row counts for nothing: 0, not
///            -inf
/// @cost      one read, and one write with gradient; 1 exponential an element
/// @source    Blanchard, Higham, Higham 2021
/// @example   distil::log_sum_exp(logits, {.rows = {.values = per_row}})
inline constexpr log_sum_exp_loss log_sum_exp{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
