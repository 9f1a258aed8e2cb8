#pragma once

#include "distil/response/labels/apart_loss.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

/// Options of the one-for-all loss.
struct one_for_all_options {
  /// Softens teacher and student: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Multiplies the loss by T^2. Default false, as in the authors' code.
  bool scale_by_temperature_squared = false;

  /// The paper's gamma, to whose power the teacher's probabilities are taken: above 1 they are trusted less, where they are
  /// small, than the label; within [2^-6, 2^6]. Default 1, which is soft cross entropy; the authors take 1.5 for
  /// ImageNet.
  double power = 1.0;

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Of the target w, w_y and the sum of all others are known; the others are distributed as p^power.
template <class T>
class one_for_all_rule {
 public:
  static constexpr bool subtracts_entropy = false;
  static constexpr besides asks = besides::unpowered_teacher;

  template <class Term>
  DISTIL_INLINE one_for_all_rule(Term const& term, simd::tile const& rows)
      : power_(term.chosen.power), temperature_(rows.values<T>(term.temperature)), squared_(term.squared) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> power() const { return power_; }

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    target const w = of(row);
    return factor() * (zero_safe_product(w.label, -row.student.log_label) +
                       zero_safe_product(w.others, row.rest - row.student.log_others));
  }

  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool) const {
    target const w = of(row);
    lanes<T> const scale = factor() / temperature_, sum = w.label + w.others;
    return {scale * sum * row.student.others, scale * w.others, lanes<T>(0),
            scale * (w.others * row.student.label - w.label * row.student.others)};
  }

 private:
  struct target {
    lanes<T> label, others;
  };

  [[nodiscard]] DISTIL_INLINE lanes<T> factor() const {
    return squared_ ? temperature_ * temperature_ : lanes<T>(1);
  }

  /// (1 + p_y)^power - 1, and sum p_i^power.
  [[nodiscard]] DISTIL_INLINE target of(apart<T> const& row) const {
    label_odds<T> const& teacher = row.second_teacher;
    return {power_less_one(power_ * log1p(teacher.label)),
            row.has_rest * exp(row.log_mass + power_ * teacher.log_others)};
  }

  /// e^x - 1 for x >= 0: (e^x - 1) / log e^x has the error of e^x in both of its places.
  static DISTIL_INLINE lanes<T> power_less_one(lanes<T> x) {
    lanes<T> const power = exp(x), one(1);
    return select(power == one, x, (power - one) * x / log(power));
  }

  lanes<T> power_, temperature_;
  bool squared_;
};

}  // namespace kernels

struct one_for_all_definition {
  static constexpr char const* name = "one_for_all";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  using options = one_for_all_options;
  template <class T>
  using rule = kernels::one_for_all_rule<T>;

  static void check(char const* where, options const& chosen) {
    detail::require(chosen.power >= 0x1p-6 && chosen.power <= 0x1p6, where, "power", chosen.power,
                    "within [2^-6, 2^6]");
  }
};

/// Distillation between architectures that share nothing but their classes: the label is stressed, and the teacher's other
/// classes with a power. One call for each exit of the student. @alias OFA, OFA-KD, ofa_loss
///
/// @formula   L = -sum_i [(p_i + 1(i = y))^power - 1(i = y)] log q_i, the mean over rows, with p = softmax(t / T), q =
///            softmax(z / T) [nats]; soft cross entropy for the power 1
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  (q sum w - w) / T with w the bracket, which does not sum to one
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = the sum of w, times power or 1
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's;
///            +inf where the target gives mass to a class the student has masked
/// @cost      one read of student and teacher and one write, 2 exponentials an element, 3 when the power is not 1; 2
///            numbers of scratch a class
/// @source    Hao et al. 2023, arXiv:2310.19444, section 3.3. The authors' code takes the logarithm of a softmax
/// @example   distil::one_for_all.with_grad(exit_logits, teacher, labels, gradient, {.power = 1.5})
inline constexpr labelled_loss<label_apart<one_for_all_definition>> one_for_all{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
