#pragma once

#include <functional>

#include "distil/response/teacher.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// A divergence that is the teacher's expectation of something linear in the logarithms:
/// D = sum p * expectation(log p, log q) with d expectation / d log q = -1. Then psi = -p and sum psi = -1,
/// so that value and gradient need no sweep in between.
template <class Function>
concept teacher_expectation = requires(Function const& function, lanes<float> x) {
  function.expectation(x, x);
};

/// Divergences whose derivative by the temperature can be had: by log p, too.
template <class Function>
inline constexpr bool moves_by_temperature = teacher_expectation<Function> ||
                                             requires(Function const& function, lanes<float> x) {
  function.d_log_p(x, x);
};

/// Sum q * phi(log p - log q) with phi(r) = r e^r - expm1(r) >= 0 is KL(p || q) without cancellation: every
/// summand is
/// >= 0. Near 0 by its series sum r^k (k - 1) / k!, elsewhere as p (r - 1) + q.
template <class T>
DISTIL_INLINE lanes<T> kl_summand(lanes<T> log_p, lanes<T> log_q, lanes<T> p, lanes<T> q) {
  constexpr T coefficients[] = {T(1) / 2,      T(1) / 3,       T(1) / 8,        T(1) / 30,
                                T(1) / 144,    T(1) / 840,     T(1) / 5760,     T(1) / 45360,
                                T(1) / 403200, T(1) / 3991680, T(1) / 43545600, T(1) / 518918400};
  constexpr int terms = sizeof(T) == sizeof(float) ? 7 : 12;
  lanes<T> const r = log_p - log_q;
  lanes<T> series(coefficients[terms - 1]);
  for (int k = terms - 2; k >= 0; --k) series = fma(series, r, lanes<T>(coefficients[k]));
  lanes<T> const distant = zero_safe_product(p, r - lanes<T>(1)) + q;
  return select(abs(r) < lanes<T>(0.25), q * r * r * series, distant);
}

/// Rows of D(p, q) between a teacher p = softmax(t / T) and a student q = softmax(z / T), written u = (z -
/// max z) / T and v = (t - max t) / T. With psi = dD / d log q and chi = dD / d log p,
///
///   dL/dz = (psi - q * sum psi) / T
///   dD/dT = -(1/T) * sum_i [ chi_i (v_i - E_p v) + psi_i (u_i - E_q u) ]
template <class T, class Axis, class Function, class Teacher>
class divergence_kernel : public simd::kernel_defaults<T, Axis> {
  static constexpr bool closed = teacher_expectation<Function>;
  static constexpr bool vanishes = requires { Function::is_kl; };

 public:
  // For the closed form the gradient is made of both exponentials, relative to the maxima when they were taken.
  static constexpr bool exponentials = true;
  static constexpr bool keeps_exponentials = closed;
  static constexpr index saved_registers = closed ? 1 : 0;
  static constexpr index block_marks = closed ? 1 : 0;

  struct operands : Teacher {
    template <class Term>
    explicit operands(Term const& term) : Teacher(term.teacher) {}
  };

  struct partial {
    lanes<T> student{0}, teacher{0},
        expected{0};  // the last over ln 2, since u and v are exponents of 2 here
  };

  struct refinement {
    lanes<T> value{0}, psi{0};
    lanes<T> chi{0}, chi_v{0}, psi_u{0}, p_v{0}, q_u{0};  // for dD/dT
  };

  template <class Term, class Student>
  DISTIL_INLINE divergence_kernel(Term const& term, Student const&, simd::tile rows, lanes<T> scale)
      : function_(term.function),
        wants_derivative_(!term.temperature_gradient.empty()),
        teacher_moves_(term.teacher.moves()) {
    temperature_ = Axis::per_row(rows, term.temperature, std::identity{});
    inverse_ = Axis::per_row(rows, term.temperature, [](double number) { return 1.0 / number; });
    if (term.teacher.captured_at) {
      teacher_inverse_ = inverse_ * Axis::per_row(rows, *term.teacher.captured_at, std::identity{});
    } else {
      teacher_inverse_ = Teacher::form == teacher_form::logits ? inverse_ : lanes<T>(1);
    }
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    teacher_sharpness_ = teacher_inverse_ * lanes<T>(simd::log2e);
    factor_ = term.squared ? temperature_ * temperature_ : lanes<T>(1);
    factor_slope_ = term.squared ? lanes<T>(2) * temperature_ : lanes<T>(0);
    gradient_scale_ = scale * (term.squared ? temperature_ : inverse_);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return sharpness_; }

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    sums_.student *= student.decay(sharpness_);
    if constexpr (closed) {
      sums_.expected +=
          zero_safe_product(sums_.teacher, function_.expectation(lanes<T>(0), student.drift(sharpness_)));
    }
  }

  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block here) {
    raise(Axis::max(Teacher::logit(simd::block_maximum<T>(stored, here))));
  }

  DISTIL_INLINE void join(divergence_kernel other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    fold(other.sums_);
  }

  template <class Keep>
  DISTIL_INLINE void mark(Keep const& keep) const {
    if constexpr (closed) keep.put(0, maximum_.now);
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
      if constexpr (closed) {
        sums.expected += zero_safe_product(p, function.expectation(v, u));
        keep.put(
            0, select(u == lanes<T>(-simd::infinity<T>), lanes<T>(0), p));  // a masked class has no gradient
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const {
    return {function_, teacher_sharpness_, maximum_.shift()};
  }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.student += sums.student;
    sums_.teacher += sums.teacher;
    sums_.expected += sums.expected;
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    lanes<T> const student = Axis::sum(sums_.student);
    lanes<T> const teacher = Axis::sum(sums_.teacher);
    inverse_student_ = lanes<T>(1) / student;
    inverse_teacher_ = lanes<T>(1) / teacher;
    log_student_ = Axis::log_of_rows(student);
    log_teacher_ = Axis::log_of_rows(teacher);
    if constexpr (closed) {
      divergence_ = Axis::sum(sums_.expected) * lanes<T>(simd::ln2) * inverse_teacher_ +
                    function_.expectation(-log_teacher_, -log_student_);
    }
  }

  /// A divergence without closed form needs sum psi; a small KL is summed again without cancellation.
  [[nodiscard]] DISTIL_INLINE bool refines() const {
    if constexpr (!closed) return true;
    if constexpr (vanishes) {
      if (any(divergence_ < lanes<T>(threshold))) return true;
    }
    return wants_derivative_;
  }

  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, simd::strip<T> stored, index k) const {
    lanes<T> const u = centred * inverse_;
    lanes<T> const v = teacher(stored[k]);
    lanes<T> const log_q = fma(centred, inverse_, -log_student_);
    lanes<T> const log_p = fma(Teacher::logit(stored[k]) - maximum_.shift(), teacher_inverse_, -log_teacher_);
    lanes<T> const minus_infinity(-simd::infinity<T>);
    lanes<T> const p = exp_nonpositive(log_p);
    lanes<T> const q = exp_nonpositive(log_q);
    lanes<T> chi(0), psi(0);
    if constexpr (closed) {
      if constexpr (vanishes) sums.value += kl_summand<T>(log_p, log_q, p, q);
      psi = -p;
      chi = zero_safe_product(p, function_.expectation(log_p, log_q) - divergence_);
    } else {
      // Classes that neither side can choose count for nothing; a masked class of the student cannot move.
      auto const possible = (log_p != minus_infinity) | (log_q != minus_infinity);
      sums.value += select(possible, function_.value(log_p, log_q), lanes<T>(0));
      psi = select(log_q != minus_infinity, function_.d_log_q(log_p, log_q), lanes<T>(0));
      sums.psi += psi;
      if constexpr (moves_by_temperature<Function>) {
        chi = select(log_p != minus_infinity, function_.d_log_p(log_p, log_q), lanes<T>(0));
      }
    }
    if constexpr (moves_by_temperature<Function>) {
      if (wants_derivative_) {
        sums.chi += chi;
        sums.chi_v += zero_safe_product(chi, v);
        sums.psi_u += zero_safe_product(psi, u);
        sums.p_v += zero_safe_product(p, v);
        sums.q_u += zero_safe_product(q, u);
      }
    }
  }

  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.value += sums.value;
    refined_.psi += sums.psi;
    refined_.chi += sums.chi;
    refined_.chi_v += sums.chi_v;
    refined_.psi_u += sums.psi_u;
    refined_.p_v += sums.p_v;
    refined_.q_u += sums.q_u;
  }

  DISTIL_INLINE void join_refined(divergence_kernel const& other) { fold_refined(other.refined_); }

  DISTIL_INLINE void close_refined() {
    if constexpr (closed) {
      if constexpr (vanishes) {
        divergence_ = select(divergence_ < lanes<T>(threshold), Axis::sum(refined_.value), divergence_);
      }
    } else {
      divergence_ = Axis::sum(refined_.value);
      psi_sum_ = Axis::sum(refined_.psi);
    }
    if (wants_derivative_) {
      lanes<T> const psi_sum = closed ? lanes<T>(-1) : psi_sum_;
      lanes<T> sum = Axis::sum(refined_.psi_u) - Axis::sum(refined_.q_u) * psi_sum;
      if (teacher_moves_) {
        sum += Axis::sum(refined_.chi_v) - Axis::sum(refined_.p_v) * Axis::sum(refined_.chi);
      }
      slope_ = -inverse_ * sum;
    }
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return factor_ * divergence_; }

  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return factor_slope_ * divergence_ + factor_ * slope_;
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return !closed; }

  struct closed_gradient {
    lanes<T> of_student, of_teacher;
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T>, index,
                                      simd::kept<T> saved) const {
      return of_student * z.exponential - of_teacher * saved[0];
    }
  };
  struct general_gradient {
    Function function;
    simd::running_maximum<T> maximum;
    lanes<T> inverse, teacher_inverse, log_student, log_teacher, scale, psi_sum;
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                      simd::kept<T>) const {
      lanes<T> const log_q = fma(z.centred, inverse, -log_student);
      lanes<T> const log_p = fma(Teacher::logit(stored[k]) - maximum.shift(), teacher_inverse, -log_teacher);
      return scale * (function.d_log_q(log_p, log_q) - exp_nonpositive(log_q) * psi_sum);
    }
  };
  [[nodiscard]] DISTIL_INLINE auto gradient(lanes<T> decay, simd::kept<T> marks) const {
    if constexpr (closed) {
      return closed_gradient{
          gradient_scale_ * inverse_student_ * decay,
          gradient_scale_ * inverse_teacher_ * maximum_.decay_since(marks[0], teacher_sharpness_)};
    } else {
      return general_gradient{function_,    maximum_,     inverse_,        teacher_inverse_,
                              log_student_, log_teacher_, gradient_scale_, psi_sum_};
    }
  }

 private:
  /// The teacher's maximum is at least `top`: brings the sums along.
  DISTIL_INLINE void raise(lanes<T> top) {
    if (!maximum_.raise(top)) return;
    lanes<T> const decay = maximum_.decay(teacher_sharpness_);
    if constexpr (closed) {
      lanes<T> const drift = function_.expectation(maximum_.drift(teacher_sharpness_), lanes<T>(0));
      sums_.expected = zero_safe_product(decay, sums_.expected + zero_safe_product(sums_.teacher, drift));
    }
    sums_.teacher *= decay;
    maximum_.settle();
  }

  // Below this the rounding of sum p (log p - log q) shows; above it the one-sweep form is as good.
  static constexpr T threshold = sizeof(T) == sizeof(float) ? T(0x1p-6) : T(0x1p-20);

  DISTIL_INLINE lanes<T> teacher(lanes<T> stored) const {
    return (Teacher::logit(stored) - maximum_.shift()) * teacher_inverse_;
  }

  Function function_;
  bool wants_derivative_, teacher_moves_;
  lanes<T> temperature_, inverse_, teacher_inverse_, sharpness_, teacher_sharpness_, factor_, factor_slope_,
      gradient_scale_;
  simd::running_maximum<T> maximum_;
  partial sums_;
  refinement refined_;
  lanes<T> inverse_student_, inverse_teacher_, log_student_, log_teacher_;
  lanes<T> divergence_{0}, psi_sum_{0}, slope_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
