#pragma once

#include "distil/sweep/kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// The temperatures of a tile of rows against top-k teachers, and what the loss and its gradients are multiplied by. As
/// `two_sided_kernel` has them for dense teachers.
template <class T>
struct top_k_softening {
  bool wants_derivative_, teacher_moves_, teacher_apart_;
  lanes<T> inverse_, teacher_inverse_, sharpness_, gradient_scale_;
  lanes<T> factor_{1}, factor_slope_{0}, teacher_factor_slope_{0};

  template <class Term>
  DISTIL_INLINE top_k_softening(Term const& term, simd::tile const& rows, lanes<T> scale)
      : wants_derivative_(term.wants_derivative()),
        teacher_moves_(term.teacher.moves()),
        teacher_apart_(term.teacher_temperature.has_value()) {
    row_parameter const& of_teacher = teacher_apart_ ? *term.teacher_temperature : term.temperature;
    lanes<T> const temperature = rows.values<T>(term.temperature);
    lanes<T> const teacher_temperature = rows.values<T>(of_teacher);
    inverse_ = rows.inverses<T>(term.temperature);
    teacher_inverse_ = rows.inverses<T>(of_teacher);
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    gradient_scale_ = scale * inverse_;
    if (term.factor) {
      factor_ = rows.values<T>(*term.factor);
      gradient_scale_ *= factor_;
    } else if (term.squared) {
      factor_ = temperature * teacher_temperature;
      factor_slope_ = teacher_apart_ ? teacher_temperature : lanes<T>(2) * temperature;
      teacher_factor_slope_ = teacher_apart_ ? temperature : lanes<T>(0);
      gradient_scale_ = scale * teacher_temperature;
    }
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
