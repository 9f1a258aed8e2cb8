#pragma once

#include "distil/response/labels/apart_loss.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

/// Which rows of a teacher are corrected.
enum class corrected_rows {
  all,        ///< those it gets right are made surer, too
  wrong_only  ///< those whose first choice is not the label
};

/// Options of forward KL to a corrected teacher.
struct margin_corrected_kl_options {
  /// Softens teacher and student: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Multiplies the loss by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// By how much the label leads, within [0, 1]. Default 0.2, as in Model-Optimizer.
  double margin = 0.2;

  /// Whether a row that the teacher gets right is corrected, too. Default: it is, as in the paper.
  corrected_rows corrects = corrected_rows::all;

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Only the probability of the label against all others changes, so that KL(p' || q) is that of the label's odds, and what
/// p' leaves for the other classes times the divergence among them.
template <class T>
class margin_rule {
 public:
  static constexpr bool subtracts_entropy = true;
  static constexpr besides asks = besides::nothing;

  template <class Term>
  DISTIL_INLINE margin_rule(Term const& term, simd::tile const& rows)
      : margin_(term.chosen.margin),
        right_margin_(term.chosen.corrects == corrected_rows::all ? term.chosen.margin : 0.0),
        temperature_(rows.values<T>(term.temperature)),
        squared_(term.squared) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    corrected const to = of(row);
    return factor() * (kl_summand<T>(log(to.label), row.student.log_label, to.label, row.student.label) +
                       kl_summand<T>(log(to.others), row.student.log_others, to.others, row.student.others) +
                       zero_safe_product(to.others, row.rest));
  }

  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool) const {
    corrected const to = of(row);
    lanes<T> const scale = factor() / temperature_;
    return {scale * row.student.others, scale * to.others, lanes<T>(0),
            scale * (row.student.label - to.label)};
  }

 private:
  struct corrected {
    lanes<T> label, others;
  };

  [[nodiscard]] DISTIL_INLINE lanes<T> factor() const {
    return squared_ ? temperature_ * temperature_ : lanes<T>(1);
  }

  /// Comparisons are such that a NaN stays one.
  [[nodiscard]] DISTIL_INLINE corrected of(apart<T> const& row) const {
    lanes<T> const one(1), others = row.teacher.others, label = row.teacher.label;
    lanes<T> const kept = (one - margin_) / (one + row.top - label);
    auto const right = row.teacher_lead >= lanes<T>(0), full = others <= right_margin_;
    return {select(right, select(full, one, label + right_margin_), kept * row.top + margin_),
            select(right, select(full, lanes<T>(0), others - right_margin_), kept * others)};
  }

  lanes<T> margin_, right_margin_, temperature_;
  bool squared_;
};

}  // namespace kernels

struct margin_corrected_kl_definition {
  static constexpr char const* name = "margin_corrected_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  using options = margin_corrected_kl_options;
  template <class T>
  using rule = kernels::margin_rule<T>;

  static void check(char const* where, options const& chosen) {
    detail::require(detail::is_share(chosen.margin), where, "margin", chosen.margin, detail::must_be_share);
  }
};

/// Forward KL to a teacher whose distribution is moved towards the label until the label leads: minifinetuning, which
/// needs no other data to keep what a model knows. The teacher's own matrix is not touched. @alias MFT, MFTLoss
///
/// @formula   L = T^2 KL(p' || q), the mean over rows, with p' = (1 - m) p + m e_y, p = softmax(t / T), q = softmax(z /
///            T) [nats]; m such that p'_y exceeds the largest other by the margin where the first choice of p is not y,
///            and p'_y = min(1, p_y + margin) where it is. Never negative
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  T (q - p')
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's;
///            +inf where p' gives mass to a class the student has masked, such as the label
/// @cost      one read of student and teacher and one write, 2 exponentials an element; one read more for a row whose
///            divergence among the other classes is under 2^-6 nats (2^-20 in double); 2 numbers of scratch a class
/// @source    Belcak et al. 2025, arXiv:2506.15702. NVIDIA's Model-Optimizer adds 1e-7 to the divisors of m, and uses an
///            ignored label as an index; a label that shares the largest probability is its first choice only where
///            torch's argmax says so, and here always
/// @example   distil::margin_corrected_kl.with_grad(student, teacher, labels, gradient, {.margin = 0.1})
inline constexpr labelled_loss<label_apart<margin_corrected_kl_definition>> margin_corrected_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
