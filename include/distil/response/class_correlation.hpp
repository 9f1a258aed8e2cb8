#pragma once

#include "distil/response/coupled/gram_loss.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// See `class_correlation`.
struct class_correlation_loss : coupled_loss<class_correlation_loss, gram_options, gram_value> {
  static constexpr char const* name = "class_correlation";
  static constexpr error_bound bound{.value = 32, .gradient = 64, .temperature_gradient = 4};

  template <class Storage, teacher_form Form>
  static auto term(dense_teacher<Storage, Form> const& teacher, gram_options const& options) {
    return kernels::gram_term<Storage, Form>(teacher, options, 1.0, 0.0);
  }
};

/// Which classes a batch predicts together, by teacher and by student. @alias class-level alignment, cc_loss, MLLD,
/// MLKD
///
/// @formula   L = (1 / C) |Q' W Q - P' W P|^2 (Frobenius), Q and P the rows softmax(z / T) and softmax(t / T), W the
///            weights of the rows. It grows with the square of the batch
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  4 / C W Q (Q' W Q - P' W P) by Q, then through the softmax: q (g - sum q g) / T.
///            dL/dT on request, through both sides unless the teacher's is a distribution that stays
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, relative to the sum of |Q'WQ - P'WP| (Q'WQ + P'WP) over all entries: a
///            small difference is as exact as the probabilities are. dL/dT to that over T
/// @nan       rows are coupled: a NaN or +inf logit in a row that counts makes value and gradient NaN. A row whose
///            student or teacher is fully masked, or that is ignored, takes no part; without any row, loss and
///            gradient are 0
/// @cost      6 min(B, C)^2 max(B, C) multiplications, since no C x C matrix is formed where the batch is smaller; 6
///            numbers of scratch an element, kept by the calling thread
/// @source    Jin et al. 2023, Multi-level logit distillation, section 3.3; `cc_loss` in its code
/// @example   distil::class_correlation.with_grad(student, teacher, gradient, {.temperature = 4.0})
inline constexpr class_correlation_loss class_correlation{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
