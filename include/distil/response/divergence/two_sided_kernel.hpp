#pragma once

#include "distil/response/teacher/teacher_reader.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// What every kernel of a teacher p = softmax(t / T) and a student q = softmax(z / T) knows of its rows: temperatures,
/// the teacher's maximum, and both partition sums. With u = (z - max z) / T, v = (t - max t) / T, psi = dD / d log q and
/// chi = dD / d log p,
///
///   dL/dz = (psi - q * sum psi) / T
///   dD/dT = -(1/T) * sum_i [ chi_i (v_i - E_p v) + psi_i (u_i - E_q u) ]
///
/// A teacher with a temperature of its own has the part of chi for itself, and the student that of psi.
template <class T, class Teacher>
class two_sided_kernel : public simd::kernel_defaults<T> {
 public:
  static constexpr bool exponentials = true;

  struct operands : Teacher {
    template <class Term>
    operands(simd::axis way, Term const& term) : Teacher(way, term.teacher) {}
  };

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return sharpness_; }

 protected:
  using simd::kernel_defaults<T>::axis_;

  /// One class: logarithms of its probabilities, these themselves, and u and v.
  struct softened {
    lanes<T> log_p, log_q, p, q, u, v;
  };

  /// E_p v and E_q u, over the sums of the same p and q: what their rounding has in common cancels.
  struct means {
    lanes<T> p{0}, p_v{0}, q{0}, q_u{0};

    DISTIL_INLINE void add(softened const& at) {
      p += at.p;
      p_v += zero_safe_product(at.p, at.v);
      q += at.q;
      q_u += zero_safe_product(at.q, at.u);
    }
    DISTIL_INLINE void add(means const& other) {
      p += other.p;
      p_v += other.p_v;
      q += other.q;
      q_u += other.q_u;
    }
  };

  /// What dD/dT is made of.
  struct moments {
    means of_sides;
    lanes<T> chi{0}, chi_v{0}, psi{0}, psi_u{0};

    DISTIL_INLINE void add(softened const& at, lanes<T> chi_here, lanes<T> psi_here) {
      of_sides.add(at);
      chi += chi_here;
      chi_v += zero_safe_product(chi_here, at.v);
      psi += psi_here;
      psi_u += zero_safe_product(psi_here, at.u);
    }
    DISTIL_INLINE void add(moments const& other) {
      of_sides.add(other.of_sides);
      chi += other.chi;
      chi_v += other.chi_v;
      psi += other.psi;
      psi_u += other.psi_u;
    }
  };

  template <class Term>
  DISTIL_INLINE two_sided_kernel(Term const& term, simd::tile const& rows, lanes<T> scale)
      : simd::kernel_defaults<T>(rows),
        wants_derivative_(term.wants_derivative()),
        teacher_moves_(term.teacher.moves()),
        teacher_apart_(term.teacher_temperature.has_value()) {
    lanes<T> const temperature = rows.values<T>(term.temperature);
    lanes<T> teacher_temperature = temperature;
    inverse_ = by_teacher_temperature_ = rows.inverses<T>(term.temperature);
    if (teacher_apart_) {
      teacher_temperature = rows.values<T>(*term.teacher_temperature);
      by_teacher_temperature_ = rows.inverses<T>(*term.teacher_temperature);
    }
    if (term.teacher.captured_at) {
      teacher_inverse_ = by_teacher_temperature_ * rows.values<T>(*term.teacher.captured_at);
    } else {
      teacher_inverse_ = Teacher::form == teacher_form::logits ? by_teacher_temperature_ : lanes<T>(1);
    }
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    teacher_sharpness_ = teacher_inverse_ * lanes<T>(simd::log2e);
    if (term.factor) {
      factor_ = rows.values<T>(*term.factor);
      gradient_scale_ = scale * factor_ * inverse_;
    } else if (term.squared) {
      factor_ = temperature * teacher_temperature;
      factor_slope_ = teacher_apart_ ? teacher_temperature : lanes<T>(2) * temperature;
      teacher_factor_slope_ = teacher_apart_ ? temperature : lanes<T>(0);
      gradient_scale_ = scale * teacher_temperature;
    } else {
      factor_ = lanes<T>(1);
      gradient_scale_ = scale * inverse_;
    }
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> top_of(simd::strip<T> stored, simd::block const& here) const {
    return axis_.max(Teacher::logit(simd::block_maximum<T>(stored, here)));
  }

  /// Once both sums are complete.
  DISTIL_INLINE void close_sums() {
    student_sum_ = axis_.sum(student_sum_);
    teacher_sum_ = axis_.sum(teacher_sum_);
    log_student_ = log_of_rows(student_sum_);
    log_teacher_ = log_of_rows(teacher_sum_);
  }

  [[nodiscard]] DISTIL_INLINE softened at(lanes<T> centred, lanes<T> stored) const {
    lanes<T> const teacher = Teacher::logit(stored) - maximum_.shift();
    lanes<T> const log_p = fma(teacher, teacher_inverse_, -log_teacher_);
    lanes<T> const log_q = fma(centred, inverse_, -log_student_);
    return {log_p,
            log_q,
            exp_nonpositive(log_p),
            exp_nonpositive(log_q),
            (centred - student_centre_) * inverse_,
            teacher * teacher_inverse_};
  }

  /// dD/dT from the sums of each lane, but for `psi_sum`, which is over all of them.
  template <class Sums>
  DISTIL_INLINE void close_slopes(means const& of_sides, Sums const& of, lanes<T> psi_sum) {
    lanes<T> const mean_u = axis_.sum(of_sides.q_u) / axis_.sum(of_sides.q);
    slope_ = -inverse_ * (axis_.sum(of.psi_u) - mean_u * psi_sum);
    if (!teacher_moves_) return;
    lanes<T> const mean_v = axis_.sum(of_sides.p_v) / axis_.sum(of_sides.p);
    lanes<T> const of_teacher = -by_teacher_temperature_ * (axis_.sum(of.chi_v) - mean_v * axis_.sum(of.chi));
    if (teacher_apart_) {
      teacher_slope_ = of_teacher;
    } else {
      slope_ += of_teacher;
    }
  }

  DISTIL_INLINE void close_slopes(moments const& of) { close_slopes(of.of_sides, of, axis_.sum(of.psi)); }

  /// dL/dT, and where the teacher has a temperature of its own, by that.
  [[nodiscard]] DISTIL_INLINE lanes<T> derivative(lanes<T> divergence) const {
    return factor_slope_ * divergence + factor_ * slope_;
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_derivative(lanes<T> divergence) const {
    return teacher_factor_slope_ * divergence + factor_ * teacher_slope_;
  }

  bool wants_derivative_, teacher_moves_, teacher_apart_;
  lanes<T> inverse_, by_teacher_temperature_, teacher_inverse_, sharpness_, teacher_sharpness_, factor_,
      gradient_scale_;
  lanes<T> factor_slope_{0}, teacher_factor_slope_{0}, slope_{0}, teacher_slope_{0};
  simd::running_maximum<T> maximum_;  ///< of the teacher
  lanes<T> student_sum_{0}, teacher_sum_{0}, log_student_, log_teacher_;
  lanes<T> student_centre_{
      0};  ///< what u is relative to, beside the maximum: dD/dT is the same for any, but for rounding
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
