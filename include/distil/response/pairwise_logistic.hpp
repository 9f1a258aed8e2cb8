#pragma once

#include "distil/response/ranking/pairwise.hpp"

namespace distil {
inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
struct softplus {
  static constexpr char const* name = "pairwise_logistic";
  static constexpr double default_margin = 0.0;

  template <class T>
  static DISTIL_INLINE penalty_of_pair<T> of(simd::lanes<T> x) {
    simd::lanes<T> const zero(0), one(1);
    simd::lanes<T> const small = exp_nonpositive(-abs(x));
    auto const positive = x > zero;
    return {select(positive, x, zero) + log1p(small), select(positive, one, small) / (one + small)};
  }
};

}  // namespace kernels

/// See `pairwise_logistic`.
struct pairwise_logistic_loss : ranking_loss<kernels::pairwise<kernels::softplus>> {
  static constexpr error_bound bound{.value = 16, .gradient = 16};
};

/// Logistic loss over the pairs of candidates that the teacher tells apart: the negative log-probability, under the
/// student's Bradley-Terry model, of all comparisons. @alias RankNet, pairwise logistic, Bradley-Terry
///
/// @formula   L = (1 / sum w) * sum_b w_b / |P_b| * sum_(i,j) log(1 + e^(m_ij - (z_i - z_j) / T)), over the pairs P_b
///            with t_i > t_j; m_ij = margin, or margin (t_i - t_j) / T. With `pair_reduction::sum` without 1 / |P_b|
///            [nats]
/// @param     student  [rows, candidates] scores or logits; -inf: the candidate takes no part
/// @param     teacher  [rows, candidates] scores; -inf: the candidate takes no part. Or `ranked_candidates(ids,
///            scores)` of some classes of a wide student
/// @param     gradient [rows, candidates] dL/dz, overwritten or added; 0 for what takes no part; may be the student
///            itself, never the teacher
/// @gradient  of each pair -s / T for the better and s / T for the worse, s = 1 / (1 + e^((z_i - z_j) / T - m_ij))
/// @throws    std::invalid_argument when a shape, option, weight or id is refused; nothing is written then
/// @error     `bound`, the value relative to 1 + the mean of |m_ij| + |z_i - z_j| / T over the
///            pairs, the gradient to that mean over T (with `sum`: times |P|)
/// @nan       a NaN or +inf score on either side makes loss and gradient of its row NaN, no other's. A row in which the
///            teacher tells no two candidates apart counts for nothing
/// @cost      O(n log n) to sort a row and O(n^2) for its pairs, n candidates or `top`; 1 exponential and 1 logarithm a
///            pair
/// @source    Burges et al. 2005, "Learning to rank using gradient descent"; as a distillation loss over a teacher's top
///            k in arcee-ai/DistillKit. sentence-transformers' RankNet takes logarithms to base 2 and divides by the
///            pairs of the whole batch: `sum`, and log 2 times their number in `rows.normalizer`; its k counts places in the
///            student's order
/// @example   distil::pairwise_logistic.with_grad(scores, teacher_scores, gradient, {.top = 32})
inline constexpr pairwise_logistic_loss pairwise_logistic{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
