#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// See `negative_log_overlap`.
struct negative_log_overlap_function {
  static constexpr char const* name = "negative_log_overlap";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};
  static constexpr bool homogeneous = true;

  /// What the overlap lacks of 1.
  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return kernels::total_variation_summand(here);
  }
  template <class Lanes>
  DISTIL_INLINE log_summand<Lanes> log_at(class_probabilities<Lanes> const& here) const {
    auto const share = [](Lanes own, Lanes other) {
      return select(own < other, Lanes(1), select(own > other, Lanes(0), Lanes(0.5)));
    };
    return {min(here.log_p, here.log_q), share(here.log_q, here.log_p), share(here.log_p, here.log_q)};
  }

  /// A large overlap is 1 less the distance, as is one that is NaN; a small one is known by its logarithm, where min may
  /// have dropped a NaN.
  template <class Lanes>
  DISTIL_INLINE divergence_outcome<Lanes, 2> outcome(std::array<Lanes, 2> const& sums) const {
    auto const [distance, log_overlap] = sums;
    auto const small = distance >= Lanes(0.5);
    return {select(small, -log_overlap, -log1p(-distance)),
            {select(small, Lanes(0), Lanes(1) / (Lanes(1) - distance)), select(small, Lanes(-1), Lanes(0))}};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Minus the logarithm of what two distributions have in common: of the probability that speculative decoding accepts.
/// @alias acceptance likelihood, neg_log_acceptance, -log overlap
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 (-log a), a = sum_i min(p_i, q_i), p = softmax(t / T), q = softmax(z / T)
///            [nats]. Never negative
/// @gradient  w_b / sum w * T (psi - q sum psi), psi = -[q < p] min(p, q) / a, half of it where p = q
/// @nan       +inf where no class has mass on both sides; the gradient is 0 there, since no direction is better
/// @error     `bound`; that of the gradient times 1 + -log of the largest min(p, q)
/// @cost      see `divergence`: 4 exponentials an element
/// @source    the acceptance probability of Leviathan et al. 2023, arXiv:2211.17192, section 3.2, as a loss in vLLM's
///            speculators. There a counts as 1e-5 where it is less, and nothing is learned
/// @example   distil::negative_log_overlap.with_grad(student, teacher, gradient)
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<negative_log_overlap_function> negative_log_overlap{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
