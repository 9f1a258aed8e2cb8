#pragma once

#include "distil/response/ranking/ranking.hpp"

namespace distil {

/// What becomes of the candidates behind the top ones.
enum class below_top {
  left_out,  ///< they take no part: the likelihood of the order among the top ones
  competing  ///< each choice is among them, too: the likelihood that the top ones come first, in their order
};

/// Options of `list_maximum_likelihood`.
struct list_maximum_likelihood_options {
  /// Divides the student's scores; one number or one per row, within [1e-15, 1e15]. The loss is not multiplied by T^2.
  /// Default 1.
  row_parameter temperature = 1;

  /// How many of the teacher's best places count. Default 0: all.
  index top = 0;

  /// Default left_out, as in NeMo Automodel; competing is the top-k likelihood of Xia et al. 2009.
  below_top others = below_top::left_out;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// With u the student's scores over T in the teacher's order and L_i = log sum_{j >= i} e^(u_j):
///
///   value = sum_{i < top} (L_i - u_i)        dL/du_j = e^(u_j - L_j) R_j - 1, R_j = sum_{i <= j} e^(L_j - L_i)
///
/// where R_j = 1 + R_{j-1} e^(L_j - L_{j-1}) since L falls: every exponential is of an argument <= 0. Behind the top
/// ones L and R stay and the 1 falls away. All in double: rounding would add up over the row.
struct plackett_luce {
  using options_type = list_maximum_likelihood_options;
  static constexpr char const* name = "list_maximum_likelihood";
  static constexpr bool needs_different = false;

  below_top others;

  explicit plackett_luce(options_type const& options) : others(options.others) {}

  void check(char const* where) const {
    detail::require(others == below_top::left_out || others == below_top::competing, where, "others",
                    static_cast<int>(others), "below_top::left_out or below_top::competing");
  }

  template <class T>
  static void reserve(index) {}

  // Not inlined, so that the value is the same with and without gradient.
  template <class T>
  [[gnu::noinline]] double operator()(ranked_row<T> const& row) const {
    auto const candidates = row.candidates;
    auto const top = static_cast<std::size_t>(row.top);
    std::size_t const size = others == below_top::competing ? candidates.size() : top;
    simd::compensated_sum losses;
    double log_sum = -std::numeric_limits<double>::infinity();
    for (std::size_t i = size; i-- > 0;) {
      double const u = scaled(candidates[i], row);
      double const rest = log_sum - u;
      double const loss = rest > 0.0 ? rest + std::log1p(std::exp(-rest)) : std::log1p(std::exp(rest));
      log_sum = u + loss;
      if (i < top) losses += loss;
      candidates[i].gradient = log_sum;
    }
    if (row.wants_gradient) differentiate(row, top, size);
    return losses.value();
  }

 private:
  template <class T>
  static double scaled(ranked_candidate<T> const& candidate, ranked_row<T> const& row) {
    // Relative to one of them, so that what all have in common does not round.
    double const origin = static_cast<double>(row.candidates.front().student);
    return (static_cast<double>(candidate.student) - origin) * row.inverse_temperature;
  }

  /// From L to the gradient, in place.
  template <class T>
  static void differentiate(ranked_row<T> const& row, std::size_t top, std::size_t size) {
    double before = std::numeric_limits<double>::infinity(), ratio = 0.0;
    for (std::size_t j = 0; j < row.candidates.size(); ++j) {
      auto& candidate = row.candidates[j];
      if (j < top) {
        ratio = 1.0 + ratio * std::exp(candidate.gradient - before);
        before = candidate.gradient;
      }
      double const chosen = j < size ? std::exp(std::min(scaled(candidate, row) - before, 0.0)) * ratio : 0.0;
      candidate.gradient = row.inverse_temperature * (chosen - (j < top ? 1.0 : 0.0));
    }
  }
};

}  // namespace kernels

/// See `list_maximum_likelihood`.
struct list_maximum_likelihood_loss : ranking_loss<kernels::plackett_luce> {
  static constexpr error_bound bound{.value = 16, .gradient = 16};
};

/// Negative log-likelihood, under the student's Plackett-Luce model, of the order in which the teacher puts the
/// candidates: each place is a choice among those that are left. @alias ListMLE, Plackett-Luce, top-k ListMLE
///
/// @formula   L = (1 / sum w) * sum_b w_b sum_{i < top} (log sum_{j >= i} e^(u_j) - u_i), u = z / T in descending order
///            of the teacher's scores; equal scores in the order of their columns [nats]
/// @param     student  [rows, candidates] scores or logits; -inf: the candidate takes no part
/// @param     teacher  [rows, candidates] scores, of which only the order matters; -inf: the candidate takes no part
///            (ragged lists are padded so). Or `ranked_candidates(ids, scores)` of some classes of a wide student
/// @param     gradient [rows, candidates] dL/dz, overwritten or added; 0 for what takes no part; may be the student
///            itself, never the teacher
/// @gradient  w_b / sum w * (sum_{i <= j} e^(u_j - log sum_{l >= i} e^(u_l)) - 1) / T for the j-th
/// @throws    std::invalid_argument when a shape, option, weight or id is refused; nothing is written then
/// @error     `bound`, value and gradient relative to n (1 + d), with n candidates and
///            d = (max z - min z) / T
/// @nan       a NaN or +inf score on either side makes loss and gradient of its row NaN, no other's. A row without
///            candidates counts for nothing
/// @cost      O(n log n) a row, 3 exponentials and 1 logarithm a candidate, in double
/// @source    Xia, Liu, Wang, Zhang, Li 2008, "Listwise approach to learning to rank"; top-k: Xia et al. 2009. The sum
///            over places is not divided by their number, as in sentence-transformers; position-weighted forms (PListMLE)
///            are not offered
/// @example   distil::list_maximum_likelihood.with_grad(scores, teacher_scores, gradient, {.top = 10})
inline constexpr list_maximum_likelihood_loss list_maximum_likelihood{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
