#pragma once

#include <functional>

#include "distil/response/teacher.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// What every kernel of a teacher p = softmax(t / T) and a student q = softmax(z / T) knows of its rows: temperatures,
/// the teacher's maximum, and both partition sums. With u = (z - max z) / T, v = (t - max t) / T, psi = dD / d log q and
/// chi = dD / d log p,
///
///   dL/dz = (psi - q * sum psi) / T
///   dD/dT = -(1/T) * sum_i [ chi_i (v_i - E_p v) + psi_i (u_i - E_q u) ]
template <class T, class Axis, class Teacher>
class pair_kernel : public simd::kernel_defaults<T, Axis> {
 public:
  static constexpr bool exponentials = true;

  struct operands : Teacher {
    template <class Term>
    explicit operands(Term const& term) : Teacher(term.teacher) {}
  };

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return sharpness_; }

 protected:
  /// One class: logarithms of its probabilities, these themselves, and u and v.
  struct softened {
    lanes<T> log_p, log_q, p, q, u, v;
  };

  /// What dD/dT is made of.
  struct moments {
    lanes<T> chi{0}, chi_v{0}, psi_u{0}, p_v{0}, q_u{0};

    DISTIL_INLINE void add(softened const& at, lanes<T> chi_here, lanes<T> psi) {
      chi += chi_here;
      chi_v += zero_safe_product(chi_here, at.v);
      psi_u += zero_safe_product(psi, at.u);
      p_v += zero_safe_product(at.p, at.v);
      q_u += zero_safe_product(at.q, at.u);
    }
    DISTIL_INLINE void add(moments const& other) {
      chi += other.chi;
      chi_v += other.chi_v;
      psi_u += other.psi_u;
      p_v += other.p_v;
      q_u += other.q_u;
    }
  };

  template <class Term>
  DISTIL_INLINE pair_kernel(Term const& term, simd::tile rows, lanes<T> scale)
      : wants_derivative_(!term.temperature_gradient.empty()), teacher_moves_(term.teacher.moves()) {
    lanes<T> const temperature = Axis::per_row(rows, term.temperature, std::identity{});
    inverse_ = Axis::per_row(rows, term.temperature, [](double number) { return 1.0 / number; });
    if (term.teacher.captured_at) {
      teacher_inverse_ = inverse_ * Axis::per_row(rows, *term.teacher.captured_at, std::identity{});
    } else {
      teacher_inverse_ = Teacher::form == teacher_form::logits ? inverse_ : lanes<T>(1);
    }
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    teacher_sharpness_ = teacher_inverse_ * lanes<T>(simd::log2e);
    factor_ = term.squared ? temperature * temperature : lanes<T>(1);
    factor_slope_ = term.squared ? lanes<T>(2) * temperature : lanes<T>(0);
    gradient_scale_ = scale * (term.squared ? temperature : inverse_);
  }

  static DISTIL_INLINE lanes<T> top_of(simd::strip<T> stored, simd::block here) {
    return Axis::max(Teacher::logit(simd::block_maximum<T>(stored, here)));
  }

  /// Once both sums are complete.
  DISTIL_INLINE void close_sums() {
    student_sum_ = Axis::sum(student_sum_);
    teacher_sum_ = Axis::sum(teacher_sum_);
    log_student_ = Axis::log_of_rows(student_sum_);
    log_teacher_ = Axis::log_of_rows(teacher_sum_);
  }

  [[nodiscard]] DISTIL_INLINE softened at(lanes<T> centred, lanes<T> stored) const {
    lanes<T> const teacher = Teacher::logit(stored) - maximum_.shift();
    lanes<T> const log_p = fma(teacher, teacher_inverse_, -log_teacher_);
    lanes<T> const log_q = fma(centred, inverse_, -log_student_);
    return {log_p,
            log_q,
            exp_nonpositive(log_p),
            exp_nonpositive(log_q),
            centred * inverse_,
            teacher * teacher_inverse_};
  }

  /// dD/dT from the sums over all lanes.
  [[nodiscard]] DISTIL_INLINE lanes<T> slope(moments const& of, lanes<T> psi_sum) const {
    lanes<T> sum = Axis::sum(of.psi_u) - Axis::sum(of.q_u) * psi_sum;
    if (teacher_moves_) sum += Axis::sum(of.chi_v) - Axis::sum(of.p_v) * Axis::sum(of.chi);
    return -inverse_ * sum;
  }

  bool wants_derivative_, teacher_moves_;
  lanes<T> inverse_, teacher_inverse_, sharpness_, teacher_sharpness_, factor_, factor_slope_,
      gradient_scale_;
  simd::running_maximum<T> maximum_;  ///< of the teacher
  lanes<T> student_sum_{0}, teacher_sum_{0}, log_student_, log_teacher_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
