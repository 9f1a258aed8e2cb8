#pragma once

#include "distil/response/divergence/summands.hpp"
#include "distil/response/divergence/two_sided_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// A Function that is forward * KL(p || q) + reverse * KL(q || p) says so by `kl_weights()`: both are expectations of
/// log p - log q, so that the value needs one sweep.
template <class Function>
concept kl_blend = requires(Function const& function) {
  function.kl_weights().forward;
  function.kl_weights().reverse;
};

/// Rows of a blend of both Kullback-Leibler divergences. With exponents u and v of 2,
///
///   KL(p || q) = ln 2 / P * sum 2^v (v - u) - log P + log Q,    P = sum 2^v, Q = sum 2^u
///
/// and KL(q || p) the same with both sides exchanged. A small one is summed again without cancellation. The gradient takes
/// the logits of both sides again, with the exponentials of the first sweep.
template <class T, class Function, class Teacher>
class kl_blend_kernel : public two_sided_kernel<T, Teacher> {
  using base = two_sided_kernel<T, Teacher>;
  using base::axis_, base::inverse_, base::log_student_, base::log_teacher_, base::maximum_, base::sharpness_,
      base::student_sum_, base::teacher_inverse_, base::teacher_sharpness_, base::teacher_sum_,
      base::wants_derivative_;

  /// All but the reverse divergence alone, whose gradient has no p.
  static constexpr bool has_forward = !requires {
    requires Function::kl_weights()
    .forward == 0.0;
  };

 public:
  static constexpr bool keeps_exponentials = true;
  static constexpr index saved_registers = has_forward ? 1 : 0;
  static constexpr index block_marks = saved_registers;

  struct partial {
    lanes<T> student{0}, teacher{0};
    lanes<T> over_teacher{0}, over_student{0};  ///< sum 2^v (v - u), sum 2^u (u - v)
  };
  struct refinement {
    lanes<T> forward{0}, reverse{0};
    typename base::moments moments;
  };

  template <class Term, class Student>
  DISTIL_INLINE kl_blend_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T> scale)
      : base(term, rows, scale),
        forward_(term.function.kl_weights().forward),
        reverse_(term.function.kl_weights().reverse) {}

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    moved(student.decay(sharpness_), student.drift(sharpness_), student_sum_, over_student_, teacher_sum_,
          over_teacher_);
  }
  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block const& here) {
    raise(base::top_of(stored, here));
  }

  DISTIL_INLINE void join(kl_blend_kernel other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    fold({other.student_sum_, other.teacher_sum_, other.over_teacher_, other.over_student_});
  }

  template <class Keep>
  DISTIL_INLINE void mark([[maybe_unused]] Keep const& keep) const {
    if constexpr (has_forward) keep.put(0, maximum_.now);
  }

  struct adds_all {
    lanes<T> teacher_sharpness, teacher_shift;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, [[maybe_unused]] Keep const& keep) const {
      lanes<T> const v = (Teacher::logit(stored[k]) - teacher_shift) * teacher_sharpness;
      lanes<T> const p = exp2_nonpositive(v);
      lanes<T> const r = z.exponent - v;
      sums.student += z.exponential;
      sums.teacher += p;
      sums.over_student = zero_safe_fma(z.exponential, r, sums.over_student);
      if constexpr (has_forward) {
        sums.over_teacher = zero_safe_fma(p, -r, sums.over_teacher);
        keep.put(0, p);
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_all summand() const { return {teacher_sharpness_, maximum_.shift()}; }
  DISTIL_INLINE void fold(partial const& sums) {
    student_sum_ += sums.student;
    teacher_sum_ += sums.teacher;
    over_teacher_ += sums.over_teacher;
    over_student_ += sums.over_student;
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    base::close_sums();
    inverse_student_ = lanes<T>(1) / student_sum_;
    inverse_teacher_ = lanes<T>(1) / teacher_sum_;
    lanes<T> const difference = log_student_ - log_teacher_, ln2(simd::ln2);
    of_forward_ = fma(axis_.sum(over_teacher_) * ln2, inverse_teacher_, difference);
    of_reverse_ = fma(axis_.sum(over_student_) * ln2, inverse_student_, -difference);
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const {
    return wants_derivative_ || any(small(forward_, of_forward_) | small(reverse_, of_reverse_));
  }
  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, simd::strip<T> stored, index k) const {
    auto const here = base::at(centred, stored[k]);
    class_probabilities<lanes<T>> const of_class{here.log_p, here.log_q, here.p, here.q};
    auto const r = reverse_summand(of_class);
    sums.reverse += r.value;
    lanes<T> chi = r.d_log_p, psi = r.d_log_q;
    if constexpr (has_forward) {
      auto const f = forward_summand(of_class);
      sums.forward += f.value;
      chi = fma(reverse_, chi, zero_safe_product(forward_, f.d_log_p));
      psi = fma(forward_, f.d_log_q, zero_safe_product(reverse_, psi));
    }
    if (wants_derivative_) sums.moments.add(here, chi, psi);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.forward += sums.forward;
    refined_.reverse += sums.reverse;
    refined_.moments.add(sums.moments);
  }
  DISTIL_INLINE void join_refined(kl_blend_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    lanes<T> const reverse = axis_.sum(refined_.reverse);
    summed_ = zero_safe_product(reverse_, reverse);
    if constexpr (has_forward) {
      lanes<T> const forward = axis_.sum(refined_.forward);
      summed_ += zero_safe_product(forward_, forward);
      of_forward_ = select(small(forward_, of_forward_), forward, of_forward_);
    }
    of_reverse_ = select(small(reverse_, of_reverse_), reverse, of_reverse_);
    if (wants_derivative_) base::close_slopes(refined_.moments);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return base::factor_ * blended(); }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return base::derivative(summed_); }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return base::teacher_derivative(summed_);
  }

  /// psi = forward (q - p) + reverse q (log q - log p), whose sum is reverse KL(q || p).
  struct block_gradient {
    lanes<T> teacher_shift, inverse, teacher_inverse, log_difference, of_student, of_teacher, reverse, rest;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                      [[maybe_unused]] simd::kept<T> saved) const {
      lanes<T> const q = z.exponential * of_student;
      lanes<T> const v = fma(Teacher::logit(stored[k]) - teacher_shift, teacher_inverse, log_difference);
      lanes<T> sum = q * rest;
      if constexpr (has_forward) sum -= saved[0] * of_teacher;
      // Not q * (reverse * ...): the ratio may be infinite where the reverse divergence has no weight.
      return zero_safe_fma(q * reverse, fma(z.centred, inverse, -v), sum);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T> decay,
                                                      [[maybe_unused]] simd::kept<T> marks) const {
    lanes<T> const scale = base::gradient_scale_;
    lanes<T> of_teacher(0);
    if constexpr (has_forward) {
      of_teacher = scale * forward_ * inverse_teacher_ * maximum_.decay_since(marks[0], teacher_sharpness_);
    }
    return {maximum_.shift(),         inverse_,   teacher_inverse_, log_student_ - log_teacher_,
            inverse_student_ * decay, of_teacher, scale * reverse_, scale * (forward_ - psi_sum())};
  }

 private:
  // Below this the rounding of sum p (log p - log q) shows; above it the one-sweep form is as good.
  static constexpr T threshold = sizeof(T) == sizeof(float) ? T(0x1p-6) : T(0x1p-20);
  static DISTIL_INLINE simd::mask<T> small(lanes<T> weight, lanes<T> divergence) {
    return (weight > lanes<T>(0)) & (divergence < lanes<T>(threshold));
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> blended() const {
    return zero_safe_product(forward_, of_forward_) + zero_safe_product(reverse_, of_reverse_);
  }

  /// Infinite means that no number could hold the gradient: NaN then.
  [[nodiscard]] DISTIL_INLINE lanes<T> psi_sum() const {
    lanes<T> const sum = zero_safe_product(reverse_, of_reverse_);
    return sum + (sum - sum);
  }

  /// The exponents of one side have changed by `drift` and their powers by `decay`.
  static DISTIL_INLINE void moved(lanes<T> decay, lanes<T> drift, lanes<T>& own_sum, lanes<T>& over_own,
                                  lanes<T> other_sum, lanes<T>& over_other) {
    over_own = zero_safe_product(decay, over_own + zero_safe_product(own_sum, drift));
    own_sum *= decay;
    over_other += zero_safe_product(other_sum, -drift);
  }

  /// The teacher's maximum is at least `top`: brings the sums along.
  DISTIL_INLINE void raise(lanes<T> top) {
    if (!maximum_.raise_sums(top)) return;
    moved(maximum_.decay(teacher_sharpness_), maximum_.drift(teacher_sharpness_), teacher_sum_, over_teacher_,
          student_sum_, over_student_);
    maximum_.settle();
  }

  lanes<T> forward_, reverse_;
  lanes<T> over_teacher_{0}, over_student_{0}, inverse_student_, inverse_teacher_;
  lanes<T> of_forward_{0}, of_reverse_{0};
  lanes<T> summed_{0};  ///< the blend without cancellation, for dL/dT, where T^2 D hardly moves at large T
  refinement refined_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
