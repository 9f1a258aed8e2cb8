#pragma once

#include "distil/response/divergence/summands.hpp"
#include "distil/response/divergence/two_sided_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of a teacher's expectation. Both exponentials are kept for the gradient.
template <class T, class Function, class Teacher>
class expectation_kernel : public two_sided_kernel<T, Teacher> {
  using base = two_sided_kernel<T, Teacher>;
  static constexpr bool vanishes = requires { Function::is_kl; };

 protected:
  using base::axis_, base::inverse_, base::log_student_, base::log_teacher_, base::maximum_, base::sharpness_,
      base::student_sum_, base::teacher_sharpness_, base::teacher_sum_, base::wants_derivative_;

 public:
  static constexpr bool keeps_exponentials = true;
  static constexpr index saved_registers = 1;
  static constexpr index block_marks = 1;

  struct partial {
    lanes<T> student{0}, teacher{0};
    lanes<T> expected{0};  // over ln 2, since u and v are exponents of 2 here
  };
  struct refinement {
    lanes<T> value{0};
    typename base::moments moments;
  };

  template <class Term, class Student>
  DISTIL_INLINE expectation_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T> scale)
      : base(term, rows, scale), function_(term.function) {}

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    student_sum_ *= student.decay(sharpness_);
    expected_ +=
        zero_safe_product(teacher_sum_, function_.expectation(lanes<T>(0), student.drift(sharpness_)));
  }
  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block const& here) {
    raise(base::top_of(stored, here));
  }

  DISTIL_INLINE void join(expectation_kernel other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    fold({other.student_sum_, other.teacher_sum_, other.expected_});
  }

  template <class Keep>
  DISTIL_INLINE void mark(Keep const& keep) const {
    keep.put(0, maximum_.now);
  }

  struct adds_both {
    Function function;
    lanes<T> teacher_sharpness, teacher_shift;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, Keep const& keep) const {
      lanes<T> const u = z.exponent;
      lanes<T> const v = (Teacher::logit(stored[k]) - teacher_shift) * teacher_sharpness;
      lanes<T> const p = exp2_nonpositive(v);
      sums.student += z.exponential;
      sums.teacher += p;
      sums.expected = zero_safe_fma(p, function.expectation(v, u), sums.expected);
      // A masked class has no gradient.
      keep.put(0, zero_where(u == lanes<T>(-simd::infinity<T>), p));
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const {
    return {function_, teacher_sharpness_, maximum_.shift()};
  }
  DISTIL_INLINE void fold(partial const& sums) {
    student_sum_ += sums.student;
    teacher_sum_ += sums.teacher;
    expected_ += sums.expected;
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    base::close_sums();
    inverse_student_ = lanes<T>(1) / student_sum_;
    inverse_teacher_ = lanes<T>(1) / teacher_sum_;
    divergence_ = axis_.sum(expected_) * lanes<T>(simd::ln2) * inverse_teacher_ +
                  function_.expectation(-log_teacher_, -log_student_);
  }

  /// A small KL is summed again without cancellation.
  [[nodiscard]] DISTIL_INLINE bool refines() const {
    if constexpr (vanishes) {
      if (any(divergence_ < lanes<T>(threshold))) return true;
    }
    return wants_derivative_;
  }
  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, simd::strip<T> stored, index k) const {
    auto const here = base::at(centred, stored[k]);
    if constexpr (vanishes) sums.value += kl_summand<T>(here.log_p, here.log_q, here.p, here.q);
    if (wants_derivative_) {
      lanes<T> const chi =
          zero_safe_product(here.p, function_.expectation(here.log_p, here.log_q) - divergence_);
      sums.moments.add(here, chi, -here.p);
    }
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.value += sums.value;
    refined_.moments.add(sums.moments);
  }
  DISTIL_INLINE void join_refined(expectation_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    summed_ = divergence_;
    if constexpr (vanishes) {
      summed_ = axis_.sum(refined_.value);
      divergence_ = select(divergence_ < lanes<T>(threshold), summed_, divergence_);
    }
    if (wants_derivative_) base::close_slopes(refined_.moments);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return base::factor_ * divergence_; }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return base::derivative(summed_); }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return base::teacher_derivative(summed_);
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }

  struct block_gradient {
    lanes<T> of_student, of_teacher;  // the teacher's below 0
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T>, index,
                                      simd::kept<T> saved) const {
      // Which of the two products is rounded would else be the compiler's choice, another one in every loop.
      return fma(of_student, z.exponential, of_teacher * saved[0]);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T> decay, simd::kept<T> marks) const {
    lanes<T> const scale = base::gradient_scale_;
    return {scale * inverse_student_ * decay,
            -scale * inverse_teacher_ * maximum_.decay_since(marks[0], teacher_sharpness_)};
  }

 private:
  // Below this the rounding of sum p (log p - log q) shows; above it the one-sweep form is as good.
  static constexpr T threshold = sizeof(T) == sizeof(float) ? T(0x1p-6) : T(0x1p-20);

  /// The teacher's maximum is at least `top`: brings the sums along.
  DISTIL_INLINE void raise(lanes<T> top) {
    if (!maximum_.raise_sums(top)) return;
    lanes<T> const decay = maximum_.decay(teacher_sharpness_);
    lanes<T> const drift = function_.expectation(maximum_.drift(teacher_sharpness_), lanes<T>(0));
    expected_ = zero_safe_product(decay, expected_ + zero_safe_product(teacher_sum_, drift));
    teacher_sum_ *= decay;
    maximum_.settle();
  }

  Function function_;
  lanes<T> expected_{0};
  refinement refined_;
  lanes<T> inverse_student_, inverse_teacher_;
  lanes<T> divergence_{0};
  lanes<T> summed_{0};  ///< without cancellation, for dL/dT, where T^2 D hardly moves at large T
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
