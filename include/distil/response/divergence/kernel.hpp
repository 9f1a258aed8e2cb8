#pragma once

#include "distil/response/divergence/sums.hpp"
#include "distil/response/divergence/two_sided_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of D(p, q) = sum value(log p, log q), or a function of several such sums. They and sum psi take a second sweep,
/// once the partition sums are known, with the exponentials that the first has kept. Where psi is known by then, it takes
/// the place of p for the gradient, which the Function is not asked for again.
template <class T, class FunctionOfBatch, class Teacher>
class divergence_kernel : public two_sided_kernel<T, Teacher> {
  using base = two_sided_kernel<T, Teacher>;
  using base::axis_, base::maximum_, base::student_sum_, base::teacher_sharpness_, base::teacher_sum_,
      base::wants_derivative_;
  using Function = typename function_in_rows<T, FunctionOfBatch>::type;
  static constexpr bool looks_at_rows = !std::is_same_v<Function, FunctionOfBatch>;
  using sums_of_function = divergence_sums<T, Function>;

  /// A function of the sums gives psi only when they are complete.
  static constexpr bool keeps_psi = !sums_of_function::result::has_outcome;

 public:
  static constexpr bool keeps_exponentials = true;
  static constexpr bool refines_kept = true;
  static constexpr index saved_registers = 1;
  static constexpr index block_marks = 1;

  struct partial {
    lanes<T> student{0}, teacher{0};
  };
  struct refinement {
    sums_of_function sums;
    typename base::means of_sides;
  };

  template <class Term, class Student>
  DISTIL_INLINE divergence_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T> scale)
      : base(term, rows, scale), function_(function_of(term, rows)) {}

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    student_sum_ *= student.decay(base::sharpness_);
  }
  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block const& here) {
    raise(base::top_of(stored, here));
  }

  DISTIL_INLINE void join(divergence_kernel other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    fold({other.student_sum_, other.teacher_sum_});
  }

  template <class Keep>
  DISTIL_INLINE void mark(Keep const& keep) const {
    keep.put(0, maximum_.now);
  }

  struct adds_both {
    lanes<T> teacher_sharpness, teacher_shift;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, Keep const& keep) const {
      lanes<T> const p = exp2_nonpositive((Teacher::logit(stored[k]) - teacher_shift) * teacher_sharpness);
      sums.student += z.exponential;
      sums.teacher += p;
      keep.put(0, p);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const { return {teacher_sharpness_, maximum_.shift()}; }
  DISTIL_INLINE void fold(partial const& sums) {
    student_sum_ += sums.student;
    teacher_sum_ += sums.teacher;
  }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    base::close_sums();
    inverse_student_ = lanes<T>(1) / student_sum_;
    inverse_teacher_ = lanes<T>(1) / teacher_sum_;
    if constexpr (looks_at_rows) {
      function_.settle([&](lanes<T> stored) {
        return log_of(Teacher::logit(stored) - maximum_.shift(), base::teacher_inverse_, base::log_teacher_);
      });
    }
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return true; }

  struct block_refinement {
    Function function;
    bool wants_derivative;
    lanes<T> teacher_shift, inverse, teacher_inverse, log_student, log_teacher, of_student, of_teacher;

    template <class Keep>
    DISTIL_INLINE void operator()(refinement& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, simd::kept<T> saved, Keep const& keep) const {
      lanes<T> const teacher = Teacher::logit(stored[k]) - teacher_shift;
      typename base::softened const here{log_of(teacher, teacher_inverse, log_teacher),
                                         log_of(z.centred, inverse, log_student),
                                         saved[0] * of_teacher,
                                         z.exponential * of_student,
                                         z.centred * inverse,
                                         teacher * teacher_inverse};
      lanes<T> const psi = sums.sums.add(function, here, wants_derivative);
      // A masked class has no gradient.
      if constexpr (keeps_psi) keep.put(0, zero_where(here.log_q == lanes<T>(-simd::infinity<T>), psi));
      if (wants_derivative) sums.of_sides.add(here);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_refinement refiner(lanes<T> decay, simd::kept<T> marks) const {
    return {function_,          wants_derivative_,        maximum_.shift(),
            base::inverse_,     base::teacher_inverse_,   base::log_student_,
            base::log_teacher_, decay * inverse_student_, of_teacher(marks)};
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.sums.add(sums.sums);
    refined_.of_sides.add(sums.of_sides);
  }
  DISTIL_INLINE void join_refined(divergence_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    row_ = refined_.sums.close(axis_, function_);
    if (wants_derivative_) base::close_slopes(refined_.of_sides, row_.total, row_.total.psi);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return base::factor_ * row_.value; }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return base::derivative(row_.value); }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return base::teacher_derivative(row_.value);
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return !keeps_psi; }

  /// With what the second sweep has kept of psi.
  struct block_gradient_of_psi {
    lanes<T> scale, of_student;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T>, index,
                                      simd::kept<T> saved) const {
      return zero_safe_fma(z.exponential, of_student, scale * saved[0]);
    }
  };
  struct block_gradient {
    Function function;
    typename sums_of_function::result row;
    lanes<T> teacher_shift, inverse, teacher_inverse, log_student, log_teacher, scale, of_student, of_teacher;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                      simd::kept<T> saved) const {
      class_probabilities<lanes<T>> const here{
          log_of(Teacher::logit(stored[k]) - teacher_shift, teacher_inverse, log_teacher),
          log_of(z.centred, inverse, log_student), saved[0] * of_teacher, z.exponential * of_student};
      return scale * (row.psi(function, here) - here.q * row.total.psi);
    }
  };
  [[nodiscard]] DISTIL_INLINE auto gradient(lanes<T> decay, [[maybe_unused]] simd::kept<T> marks) const {
    lanes<T> const scale = base::gradient_scale_, of_student = decay * inverse_student_;
    if constexpr (keeps_psi) {
      return block_gradient_of_psi{scale, -scale * row_.total.psi * of_student};
    } else {
      return block_gradient{function_,
                            row_,
                            maximum_.shift(),
                            base::inverse_,
                            base::teacher_inverse_,
                            base::log_student_,
                            base::log_teacher_,
                            scale,
                            of_student,
                            of_teacher(marks)};
    }
  }

 private:
  template <class Term>
  static DISTIL_INLINE Function function_of(Term const& term, [[maybe_unused]] simd::tile rows) {
    if constexpr (looks_at_rows) {
      return Function::from(term, rows);
    } else {
      return term.function;
    }
  }

  /// The same bits wherever it is asked for.
  static DISTIL_INLINE lanes<T> log_of(lanes<T> centred, lanes<T> inverse, lanes<T> log_sum) {
    return fma(centred, inverse, -log_sum);
  }

  /// What the teacher's exponentials of a block must be multiplied by.
  [[nodiscard]] DISTIL_INLINE lanes<T> of_teacher(simd::kept<T> marks) const {
    return maximum_.decay_since(marks[0], teacher_sharpness_) * inverse_teacher_;
  }

  /// The teacher's maximum is at least `top`: brings the sum along.
  DISTIL_INLINE void raise(lanes<T> top) {
    if (!maximum_.raise_sums(top)) return;
    teacher_sum_ *= maximum_.decay(teacher_sharpness_);
    maximum_.settle();
  }

  Function function_;
  refinement refined_;
  typename sums_of_function::result row_;
  lanes<T> inverse_student_, inverse_teacher_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
