#pragma once

#include "distil/sweep/evaluate.hpp"

namespace distil {

/// Options of functions of one matrix of logits that give a value per row.
struct logits_options {
  /// Divides the logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Weights, reduction, divisor; `rows.values` gets one value per row.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced value: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

namespace detail {

/// A function of the logits alone as a term; the kernel says which.
struct logits_term_base : term_base {
  using arithmetic = float;  // that of the logits decides
  row_parameter temperature;

  explicit logits_term_base(logits_options const& options)
      : term_base{.rows = options.rows, .temperature_gradient = options.temperature_gradient},
        temperature(options.temperature) {}

  void check(char const* where, index row_count, index /*columns*/) const {
    require_temperature(where, temperature, temperature_gradient, row_count);
    require_rows(where, rows, row_count);
  }
  void check_apart(char const*, matrix_extent const&) const {}
  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
    require_row_values(where, "temperature", temperature, is_temperature, must_be_temperature);
    require_row_weights(where, rows);
  }
  [[nodiscard]] row_weight weigh(bool is_masked, index row) const {
    return is_masked ? row_weight{} : weight_of(row);
  }
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

template <template <class> class Kernel>
struct logits_term : detail::logits_term_base {
  template <class T>
  using kernel = Kernel<T>;
  using logits_term_base::logits_term_base;
};

namespace kernels {

/// A gradient, or an output, that is the row's exponentials times one number.
template <class T>
struct scaled_exponentials {
  simd::lanes<T> scale;
  template <class Strips>
  DISTIL_INLINE simd::lanes<T> operator()(simd::student_register<T> const& z, Strips const&, index,
                                          simd::kept<T>) const {
    return scale * z.exponential;
  }
};

/// The partition sum of a row, sum e^u with u = (z - max z) / T: what softmax and its relatives start from.
template <class T>
class partition_kernel : public simd::kernel_defaults<T> {
 public:
  static constexpr bool exponentials = true;
  static constexpr bool keeps_exponentials = true;

  struct partial {
    simd::lanes<T> exponentials{0};
  };

  template <class Term, class Logits>
  DISTIL_INLINE partition_kernel(Term const& term, Logits const&, simd::tile const& rows,
                                 simd::lanes<T> scale)
      : simd::kernel_defaults<T>(rows),
        inverse_(rows.inverses<T>(term.temperature)),
        sharpness_(inverse_ * simd::lanes<T>(simd::log2e)),
        scale_(scale),
        wants_derivative_(!term.temperature_gradient.empty()) {}

  [[nodiscard]] DISTIL_INLINE simd::lanes<T> sharpness() const { return sharpness_; }

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& maximum) { sum_ *= maximum.decay(sharpness_); }

  struct adds_exponentials {
    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, Strips const&, index,
                                  Keep const&) const {
      sums.exponentials += z.exponential;
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_exponentials summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sum_ += sums.exponentials; }
  DISTIL_INLINE void join(partition_kernel const& other) { sum_ += other.sum_; }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    sum_ = this->axis_.sum(sum_);
    log_sum_ = log_of_rows(sum_);
  }
  [[nodiscard]] DISTIL_INLINE simd::lanes<T> value() const { return simd::lanes<T>(0); }

 protected:
  simd::lanes<T> inverse_, sharpness_, scale_;
  bool wants_derivative_;
  simd::lanes<T> sum_{0};
  simd::lanes<T> log_sum_{0};
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
