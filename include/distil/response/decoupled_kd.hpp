#pragma once

#include "distil/response/labels/apart_loss.hpp"

namespace distil {

/// Options of decoupled distillation.
struct decoupled_kd_options {
  /// Softens teacher and student: one number or one per row; within [1e-15, 1e15]. Default 4, as in mdistiller for
  /// CIFAR-100; 1 for ImageNet.
  row_parameter temperature = 4;

  /// Multiplies both by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the divergence between the probabilities of the label and of all else, the paper's alpha; finite and
  /// >= 0. Default 1.
  double target_weight = 1.0;

  /// Multiplies the divergence among the other classes, the paper's beta; finite and >= 0. Default 8, as in mdistiller
  /// for most pairs; mmrazor and the paper's ImageNet have 0.5.
  double non_target_weight = 8.0;

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
class decoupled_rule {
 public:
  static constexpr bool subtracts_entropy = true;
  static constexpr besides asks = besides::nothing;

  template <class Term>
  DISTIL_INLINE decoupled_rule(Term const& term, simd::tile const& rows)
      : target_(term.chosen.target_weight),
        non_target_(term.chosen.non_target_weight),
        temperature_(rows.values<T>(term.temperature)),
        squared_(term.squared) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    return factor() * sum_of(target(row), row.rest);
  }

  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool) const {
    lanes<T> const scale = factor() / temperature_;
    lanes<T> const of_label = target_ * surplus(row);
    lanes<T> const of_rest = non_target_ * row.has_rest;
    return {scale * (of_rest - of_label), scale * of_rest, lanes<T>(0), scale * of_label};
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> slope(apart<T> const& row, lanes<T> student, lanes<T> teacher,
                                             lanes<T> rest) const {
    lanes<T> const of_student = zero_safe_product(surplus(row), student);
    lanes<T> const of_teacher = zero_safe_product(row.teacher.label * row.teacher.others,
                                                  (row.teacher.logit - row.student.logit) * teacher);
    lanes<T> const of_factor = squared_ ? lanes<T>(2) * temperature_ : lanes<T>(0);
    return of_factor * sum_of(target(row), row.rest) + factor() * sum_of(of_student + of_teacher, rest);
  }

 private:
  [[nodiscard]] DISTIL_INLINE lanes<T> factor() const {
    return squared_ ? temperature_ * temperature_ : lanes<T>(1);
  }
  /// A part of weight 0 is absent, whatever it holds.
  [[nodiscard]] DISTIL_INLINE lanes<T> sum_of(lanes<T> target, lanes<T> rest) const {
    return zero_safe_product(target_, target) + zero_safe_product(non_target_, rest);
  }
  /// q_y - p_y, from what is left of q where q_y may round to 1.
  static DISTIL_INLINE lanes<T> surplus(apart<T> const& row) {
    return select(row.student.logit > lanes<T>(0), row.teacher.others - row.student.others,
                  row.student.label - row.teacher.label);
  }
  static DISTIL_INLINE lanes<T> target(apart<T> const& row) {
    return kl_summand<T>(row.teacher.log_label, row.student.log_label, row.teacher.label, row.student.label) +
           kl_summand<T>(row.teacher.log_others, row.student.log_others, row.teacher.others,
                         row.student.others);
  }

  lanes<T> target_, non_target_, temperature_;
  bool squared_;
};

}  // namespace kernels

struct decoupled_kd_definition {
  static constexpr char const* name = "decoupled_kd";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 4, .temperature_floor = 4};
  using options = decoupled_kd_options;
  template <class T>
  using rule = kernels::decoupled_rule<T>;

  static void check_numbers(char const* where, options const& chosen, detail::computing_type type) {
    detail::require_factor(where, "target_weight", chosen.target_weight, type);
    detail::require_factor(where, "non_target_weight", chosen.non_target_weight, type);
  }
};

/// Decoupled knowledge distillation: what the teacher knows of the label, and what it knows of the other classes, with
/// weights of their own. Cross entropy with the labels is a term beside it. @alias DKD, TCKD, NCKD
///
/// @formula   L = T^2 (target_weight KL(b_p || b_q) + non_target_weight KL(p^ || q^)), the mean over rows, with
///            p = softmax(t / T), q = softmax(z / T), b = (probability of the label y, of all else), and p^, q^ = p, q
///            without the label, normalised [nats]. Never negative; KL(p || q) is that with the weights 1 and 1 - p_y
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  at the label target_weight T (q_y - p_y); elsewhere non_target_weight T (q^ - p^) - target_weight T
///            (q_y - p_y) q^
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = (target_weight + non_target_weight) T^2
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's; a
///            part of weight 0 is absent. Where the teacher gives all mass to the label, and with one class, the part
///            of the other classes is 0; with two classes it is 0, too
/// @cost      one read of student and teacher and one write, 2 exponentials an element; one read more for a row whose
///            second part is under 2^-6 nats (2^-20 in double) and for a gradient of the temperature; 2 numbers of
///            scratch a class
/// @source    Zhao et al. 2022, arXiv:2203.08679, section 3. Public code adds -1000 to the label's logit and takes the
///            logarithm of 1 - q_y, which ends in NaN where q_y rounds to 1; here the label is left out, and log(1 -
///            q_y) comes from the other classes. The warm-up of mdistiller is a schedule of the coefficient
/// @example   distil::fuse(distil::cross_entropy.term(labels), distil::decoupled_kd.term(teacher, labels))
inline constexpr labelled_loss<label_apart<decoupled_kd_definition>> decoupled_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
