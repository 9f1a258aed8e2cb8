#pragma once

#include "distil/response/softmax/logits_loss.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// H = log sum e^u - E_q u with u = (z - max z) / T: both parts are >= 0, so nothing cancels near a one-hot
/// row.
template <class T>
class entropy_kernel : public partition_kernel<T> {
  using base = partition_kernel<T>;
  using lanes = simd::lanes<T>;

 public:
  static constexpr bool keeps_exponentials = false;  // its gradient needs log q, too
  using base::base;

  struct partial {
    typename base::partial partition;
    lanes moment{0};  // sum e^u u / ln 2
  };
  struct refinement {
    lanes variance{0};
  };

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& maximum) {
    lanes const decay = maximum.decay(this->sharpness_);
    moment_ =
        zero_safe_product(decay, moment_ + zero_safe_product(this->sum_, maximum.drift(this->sharpness_)));
    this->sum_ *= decay;
  }
  struct adds_moments {
    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, Strips const&, index,
                                  Keep const&) const {
      sums.partition.exponentials += z.exponential;
      sums.moment += zero_safe_product(z.exponential, z.exponent);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_moments summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) {
    base::fold(sums.partition);
    moment_ += sums.moment;
  }
  DISTIL_INLINE void join(entropy_kernel const& other) {
    base::join(other);
    moment_ += other.moment_;
  }
  DISTIL_INLINE void close(simd::running_maximum<T> const& maximum) {
    base::close(maximum);
    mean_ = this->axis_.sum(moment_) * lanes(simd::ln2) / this->sum_;
    entropy_ = this->log_sum_ - mean_;
    gradient_scale_ = this->scale_ * this->inverse_;
  }

  // dH/dT = Var_q(u) / T.
  [[nodiscard]] DISTIL_INLINE bool refines() const { return this->wants_derivative_; }
  template <class Strips>
  DISTIL_INLINE void refine(refinement& sums, lanes centred, Strips const&, index) const {
    lanes const u = centred * this->inverse_;
    lanes const deviation = u - mean_;
    sums.variance += zero_safe_product(exp_nonpositive(fma(centred, this->inverse_, -this->log_sum_)),
                                       deviation * deviation);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) { refined_.variance += sums.variance; }
  DISTIL_INLINE void join_refined(entropy_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() { slope_ = this->inverse_ * this->axis_.sum(refined_.variance); }

  [[nodiscard]] DISTIL_INLINE lanes value() const { return entropy_; }
  [[nodiscard]] DISTIL_INLINE lanes temperature_derivative() const { return slope_; }

  struct block_gradient {
    lanes inverse, log_sum, entropy, scale;
    template <class Strips>
    DISTIL_INLINE lanes operator()(simd::student_register<T> const& z, Strips const&, index,
                                   simd::kept<T>) const {
      lanes const log_q = fma(z.centred, inverse, -log_sum);
      return -scale * zero_safe_product(exp_nonpositive(log_q), log_q + entropy);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes, simd::kept<T>) const {
    return {this->inverse_, this->log_sum_, entropy_, gradient_scale_};
  }

 private:
  refinement refined_;
  lanes moment_{0}, mean_{0}, entropy_{0}, gradient_scale_{0}, slope_{0};
};

struct entropy_name {
  static constexpr char const* text = "entropy";
};

}  // namespace kernels

/// See `entropy`.
struct entropy_loss : logits_loss<kernels::entropy_name, kernels::entropy_kernel> {
  static constexpr error_bound bound{.value = 16, .gradient = 64, .temperature_gradient = 2};
};

/// Shannon entropy of the softened distribution: how much dark knowledge a row carries, and a regulariser.
///
/// @formula   L = (1 / sum w) * sum_b w_b H_b, H = sum_i -q_i log q_i, q = softmax(z / T) [nats]
///            `rows.values` gets each row's
/// @param     logits   [rows, classes], finite or -inf (class masked: probability 0, gradient 0)
/// @gradient  w_b / sum w * -q (log q + H) / T
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`
/// @nan       a NaN or +inf logit makes its row NaN, no other. A fully masked row counts for nothing
/// @cost      one read, and with gradient a second and one write; 1 or 2 exponentials an element
/// @example   distil::entropy(logits, {.rows = {.values = per_row}})
/// @source    Shannon 1948; entropy-weighted distillation uses it as a row weight
inline constexpr entropy_loss entropy{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
