#pragma once

#include "distil/response/pair_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of D(p, q) = sum value(log p, log q). Value and sum psi take a second sweep, once the partition sums are known, and
/// the gradient a third.
template <class T, class Axis, class Function, class Teacher>
class divergence_kernel : public pair_kernel<T, Axis, Teacher> {
  using base = pair_kernel<T, Axis, Teacher>;
  using base::maximum_, base::student_sum_, base::teacher_sharpness_, base::teacher_sum_,
      base::wants_derivative_;

  static DISTIL_INLINE lanes<T> minus_infinity() { return lanes<T>(-simd::infinity<T>); }

 public:
  struct partial {
    lanes<T> student{0}, teacher{0};
  };
  struct refinement {
    lanes<T> value{0}, psi{0};
    typename base::moments moments;
  };

  template <class Term, class Student>
  DISTIL_INLINE divergence_kernel(Term const& term, Student const&, simd::tile rows, lanes<T> scale)
      : base(term, rows, scale), function_(term.function) {}

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    student_sum_ *= student.decay(base::sharpness_);
  }
  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block here) { raise(base::top_of(stored, here)); }

  DISTIL_INLINE void join(divergence_kernel other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    fold({other.student_sum_, other.teacher_sum_});
  }

  struct adds_both {
    lanes<T> teacher_sharpness, teacher_shift;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, Keep const&) const {
      sums.student += z.exponential;
      sums.teacher += exp2_nonpositive((Teacher::logit(stored[k]) - teacher_shift) * teacher_sharpness);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const { return {teacher_sharpness_, maximum_.shift()}; }
  DISTIL_INLINE void fold(partial const& sums) {
    student_sum_ += sums.student;
    teacher_sum_ += sums.teacher;
  }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) { base::close_sums(); }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return true; }

  /// Classes that neither side can choose count for nothing; a masked class of the student cannot move.
  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, simd::strip<T> stored, index k) const {
    auto const here = base::at(centred, stored[k]);
    auto const possible = (here.log_p != minus_infinity()) | (here.log_q != minus_infinity());
    sums.value += select(possible, function_.value(here.log_p, here.log_q), lanes<T>(0));
    lanes<T> const psi =
        select(here.log_q != minus_infinity(), function_.d_log_q(here.log_p, here.log_q), lanes<T>(0));
    sums.psi += psi;
    if (wants_derivative_) {
      lanes<T> chi(0);
      if constexpr (requires { function_.d_log_p(here.log_p, here.log_q); }) {
        chi = select(here.log_p != minus_infinity(), function_.d_log_p(here.log_p, here.log_q), lanes<T>(0));
      }
      sums.moments.add(here, chi, psi);
    }
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.value += sums.value;
    refined_.psi += sums.psi;
    refined_.moments.add(sums.moments);
  }
  DISTIL_INLINE void join_refined(divergence_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    divergence_ = Axis::sum(refined_.value);
    psi_sum_ = Axis::sum(refined_.psi);
    if (wants_derivative_) base::close_slopes(refined_.moments, psi_sum_);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return base::factor_ * divergence_; }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return base::derivative(divergence_);
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return base::teacher_derivative(divergence_);
  }

  struct block_gradient {
    Function function;
    lanes<T> teacher_shift, inverse, teacher_inverse, log_student, log_teacher, scale, psi_sum;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                      simd::kept<T>) const {
      lanes<T> const log_q = fma(z.centred, inverse, -log_student);
      lanes<T> const log_p = fma(Teacher::logit(stored[k]) - teacher_shift, teacher_inverse, -log_teacher);
      return scale * (function.d_log_q(log_p, log_q) - exp_nonpositive(log_q) * psi_sum);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T>, simd::kept<T>) const {
    return {function_,          maximum_.shift(),   base::inverse_,        base::teacher_inverse_,
            base::log_student_, base::log_teacher_, base::gradient_scale_, psi_sum_};
  }

 private:
  /// The teacher's maximum is at least `top`: brings the sum along.
  DISTIL_INLINE void raise(lanes<T> top) {
    if (!maximum_.raise(top)) return;
    teacher_sum_ *= maximum_.decay(teacher_sharpness_);
    maximum_.settle();
  }

  Function function_;
  refinement refined_;
  lanes<T> divergence_{0}, psi_sum_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
