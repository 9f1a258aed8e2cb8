#pragma once

#include "distil/response/ranking/pairwise.hpp"

namespace distil {
inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

struct positive_part {
  static constexpr char const* name = "pairwise_hinge";
  static constexpr double default_margin = 1.0;

  template <class T>
  static DISTIL_INLINE penalty_of_pair<T> of(simd::lanes<T> x) {
    simd::lanes<T> const zero(0);
    auto const violated = x > zero;
    return {select(violated, x, zero), select(violated, simd::lanes<T>(1), zero)};
  }
};

}  // namespace kernels

/// See `pairwise_hinge`.
struct pairwise_hinge_loss : ranking_loss<kernels::pairwise<kernels::positive_part>> {
  static constexpr error_bound bound{.value = 16, .gradient = 16};
};

/// Hinge loss over the pairs of candidates that the teacher tells apart: the better one shall lead by a margin.
/// @alias     margin ranking loss, pairwise hinge, ranking SVM
///
/// @formula   L = (1 / sum w) * sum_b w_b / |P_b| * sum_(i,j) max(0, m_ij - (z_i - z_j) / T), over the pairs P_b with
///            t_i > t_j; m_ij = margin, or margin (t_i - t_j) / T. With `pair_reduction::sum` without 1 / |P_b|
/// @param     student  [rows, candidates] scores or logits; -inf: the candidate takes no part
/// @param     teacher  [rows, candidates] scores; -inf: the candidate takes no part. Or `ranked_candidates(ids,
///            scores)` of some classes of a wide student
/// @param     gradient [rows, candidates] dL/dz, overwritten or added; 0 for what takes no part; may be the student
///            itself, never the teacher
/// @gradient  of each pair short of its margin -1 / T for the better and 1 / T for the worse; 0 at the margin itself
/// @throws    std::invalid_argument when a shape, option, weight or id is refused; nothing is written then
/// @error     `bound`, the value relative to 1 + the mean of |m_ij| + |z_i - z_j| / T over the
///            pairs, the gradient to 1 / T (with `sum`: times |P|), except where rounding decides whether a pair is
///            short
/// @nan       a NaN or +inf score on either side makes loss and gradient of its row NaN, no other's. A row in which the
///            teacher tells no two candidates apart counts for nothing
/// @cost      O(n log n) to sort a row and O(n^2) for its pairs, n candidates or `top`
/// @source    Herbrich, Graepel, Obermayer 2000; as a distillation loss over a teacher's top k in arcee-ai/DistillKit,
///            which compares probabilities in the place of scores, and divides by the pairs of the whole batch: `sum`, and
///            their number in `rows.normalizer`
/// @example   distil::pairwise_hinge.with_grad(scores, teacher_scores, gradient, {.margin = 0.5, .top = 32})
inline constexpr pairwise_hinge_loss pairwise_hinge{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
