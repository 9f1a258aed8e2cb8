#pragma once

#include "distil/response/labels/apart_loss.hpp"

namespace distil {

/// Options of normalised distillation.
struct normalized_kd_options {
  /// Softens both sides of the part of the other classes: one number or one per row; within [1e-15, 1e15]. Default 1, as
  /// in the paper. The part of the label is at temperature 1 whatever it is.
  row_parameter temperature = 1;

  /// Multiplies the part of the other classes by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the part of the other classes, the paper's gamma; finite and >= 0. Default 1.5.
  double non_target_weight = 1.5;

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
class normalized_rule {
 public:
  static constexpr bool subtracts_entropy = false;
  static constexpr besides asks = besides::temperature_one;

  template <class Term>
  DISTIL_INLINE normalized_rule(Term const& term, simd::tile const& rows)
      : weight_(term.chosen.non_target_weight),
        temperature_(rows.values<T>(term.temperature)),
        factor_(term.squared ? temperature_ * temperature_ : lanes<T>(1)),
        factor_slope_(term.squared ? lanes<T>(2) * temperature_ : lanes<T>(0)) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    return zero_safe_product(row.second_teacher.label, -row.second_student.log_label) +
           factor_ * zero_safe_product(weight_, row.rest);
  }

  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool second) const {
    lanes<T> const of_rest = factor_ / temperature_ * weight_ * row.has_rest;
    lanes<T> const of_label = row.second_teacher.label * row.second_student.others;
    if (second) return {of_rest, of_rest, of_label, -of_label};
    return {of_rest + of_label, of_rest, lanes<T>(0), -of_label};
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> slope(apart<T> const& row, lanes<T>, lanes<T>, lanes<T> rest) const {
    return factor_slope_ * zero_safe_product(weight_, row.rest) + factor_ * zero_safe_product(weight_, rest);
  }

 private:
  lanes<T> weight_, temperature_, factor_, factor_slope_;
};

}  // namespace kernels

struct normalized_kd_definition {
  static constexpr char const* name = "normalized_kd";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 2};
  using options = normalized_kd_options;
  template <class T>
  using rule = kernels::normalized_rule<T>;

  static void check_numbers(char const* where, options const& chosen, detail::computing_type type) {
    detail::require_factor(where, "non_target_weight", chosen.non_target_weight, type);
  }
};

/// Normalised knowledge distillation: cross entropy with the label, weighed by the teacher's probability of it, and soft
/// cross entropy among the other classes. Cross entropy with the labels is a term beside it. @alias NKD
///
/// @formula   L = -p_y log q_y + non_target_weight T^2 sum_(i != y) -p^_i log q^_i, the mean over rows, with p =
///            softmax(t), q = softmax(z) at temperature 1, and p^, q^ the softmax of t / T and z / T without the label
///            [nats]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`; a distribution
///            that does not say where it was captured is softmax(t / T), and p is p^T of it, normalised
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  p_y (q - e_y) + non_target_weight T (q^ - p^), the second part off the label
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = 1 + non_target_weight T^2 for the value and 1 +
///            non_target_weight T for the gradient
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's.
///            Where the teacher gives all mass to the label, and with one class, the second part is 0; with two classes
///            it is 0, too
/// @cost      one read of student and teacher and one write, 2 exponentials an element, 4 when T is not 1; one read more
///            for a gradient of the temperature; 3 numbers of scratch a class
/// @source    Yang et al. 2023, arXiv:2303.13005, section 3.2 (its code: one label, taken as the largest of a mixed one)
///            USKD, its form without a teacher, is `universal_self_kd`
/// @example   distil::fuse(distil::cross_entropy.term(labels), distil::normalized_kd.term(teacher, labels))
inline constexpr labelled_loss<label_apart<normalized_kd_definition>> normalized_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
