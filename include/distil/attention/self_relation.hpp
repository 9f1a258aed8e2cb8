#pragma once

#include "distil/attention/tokens/token_relation.hpp"
#include "distil/matrix/pair_loss.hpp"

namespace distil {
inline namespace DISTIL_ARCH_NAMESPACE {

/// See `self_relation`.
struct self_relation_loss : pair_loss<self_relation_loss, relation_options> {
  static constexpr char const* name = "self_relation";
  static constexpr error_bound bound{.value = 8, .gradient = 16, .temperature_gradient = 1};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    relation_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, false, true, true});
    kernels::check_relation(name, student[1], teacher[1], options);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             relation_options const& options) {
    kernels::relation_operands<T> const states{.self = true,
                                               .student_x = operands.student,
                                               .teacher_x = operands.teacher,
                                               .gradient_x = operands.gradient};
    return kernels::token_relation<T>(name, states, options, 1.0).evaluate(policy);
  }
};

/// Tokens are related to each other as the teacher's are: of queries, of keys, or of values. @alias MiniLM value relation,
/// MiniLMv2 self-attention relation, Q-Q, K-K, V-V
///
/// @formula   L = mean_n 1 / (A len_n) sum_a sum_i KL(R_t,i || R_s,i), R = softmax(X_a X_a' / (T sqrt(d_a))) of the
///            features X_a of relation head a, d_a of them; only the first len_n tokens are there
/// @param     student  hidden states of one kind, `token_map` of sequences x length x features
/// @param     teacher  of as many sequences and tokens, with features of its own number
/// @param     gradient of the student's shape, dL/dX, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  (dS + dS') X_a with dS = w (R_s - R_t) / (T sqrt(d_a) A len_n B); by T see `temperature_gradient`
/// @throws    std::invalid_argument when a shape, option, mask or weight is refused; nothing is written then
/// @error     `bound` epsilons of 1 + s for the value, of (1 + s) x / (sqrt(d_a) n) for the
///            gradient; s the largest scaled product of two tokens in size, x the largest feature, n what it is divided
///            by; by the temperature of (1 + s) / T. Times T^2 where that is wanted
/// @nan       NaN in a token's features make value and gradient NaN, the gradient in its sequence and head alone;
///            tokens that do not count may be NaN. Without tokens that count: 0
/// @cost      B len^2 (D + D') multiplications, and B len^2 D more with gradient; 2 len^2 numbers of scratch a thread
/// @source    Wang et al. 2021, MiniLMv2, equations 5 to 8; Wang et al. 2020, MiniLM, equation 4, with the values and
///            the model's own heads. Both cut padding off each sequence. Weights 1/3 each in `minilm_v2`
/// @example   distil::self_relation.with_grad(distil::token_map(values, batch, length, 384), teacher_values, gradient,
///                                            {.heads = 12, .tokens = {.lengths = lengths}})
inline constexpr self_relation_loss self_relation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
