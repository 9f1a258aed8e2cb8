#pragma once

#include "distil/response/coupled/gram_loss.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// See `batch_correlation`.
struct batch_correlation_loss : coupled_loss<batch_correlation_loss, gram_options, gram_value> {
  static constexpr char const* name = "batch_correlation";
  static constexpr error_bound bound{.value = 32, .gradient = 64, .temperature_gradient = 4};

  template <class Storage, teacher_form Form>
  static auto term(dense_teacher<Storage, Form> const& teacher, gram_options const& options) {
    return kernels::gram_term<Storage, Form>(teacher, options, 0.0, 1.0);
  }
};

/// How alike the predictions for each two samples of a batch are, by teacher and by student. @alias batch-level
/// alignment, bc_loss, MLLD, MLKD
///
/// @formula   L = (1 / sum w) sum_ab w_a w_b (q_a . q_b - p_a . p_b)^2, that is |Q Q' - P P'|^2 / B without weights;
///            q = softmax(z / T), p = softmax(t / T)
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  4 / B (Q Q' - P P') Q by Q, then through the softmax: q (g - sum q g) / T.
///            dL/dT on request, through both sides unless the teacher's is a distribution that stays
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, relative to the sum of |QQ' - PP'| (QQ' + PP') over all entries: a
///            small difference is as exact as the probabilities are. dL/dT to that over T
/// @nan       rows are coupled: a NaN or +inf logit in a row that counts makes value and gradient NaN. A row whose
///            student or teacher is fully masked, or that is ignored, takes no part; without any row, loss and
///            gradient are 0
/// @cost      3 min(B, C)^2 max(B, C) multiplications (6 where the batch is larger than the classes, since no B x B
///            matrix is formed); 6 numbers of scratch an element, kept by the calling thread
/// @source    Jin et al. 2023, Multi-level logit distillation, section 3.3; `bc_loss` in its code
/// @example   distil::batch_correlation.with_grad(student, teacher, gradient, {.temperature = 4.0})
inline constexpr batch_correlation_loss batch_correlation{};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
