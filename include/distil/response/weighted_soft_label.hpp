#pragma once

#include "distil/response/labels/apart_loss.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

/// Options of weighted soft labels.
struct weighted_soft_label_options {
  /// Softens teacher and student, but not in the weight: one number or one per row; within [1e-15, 1e15]. Default 2, as in
  /// the paper.
  row_parameter temperature = 2;

  /// Multiplies the loss by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// Weights, ignored label, reduction, divisor. The weight that the loss gives a row is part of its value, not of what it
  /// is divided by.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
class weighted_soft_label_rule {
 public:
  static constexpr bool subtracts_entropy = false;
  static constexpr besides asks = besides::temperature_one;

  template <class Term>
  DISTIL_INLINE weighted_soft_label_rule(Term const& term, simd::tile const& rows)
      : temperature_(rows.values<T>(term.temperature)), squared_(term.squared) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    lanes<T> const soft = zero_safe_product(row.teacher.label, -row.student.log_label) +
                          zero_safe_product(row.teacher.others, row.rest - row.student.log_others);
    return factor() * zero_safe_product(weight(row), soft);
  }

  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool) const {
    lanes<T> const scale = weight(row) * factor() / temperature_;
    return {scale * row.student.others, scale * row.teacher.others, lanes<T>(0),
            scale * (row.student.label - row.teacher.label)};
  }

 private:
  [[nodiscard]] DISTIL_INLINE lanes<T> factor() const {
    return squared_ ? temperature_ * temperature_ : lanes<T>(1);
  }

  /// 1 - e^(-CE(student) / CE(teacher)), a constant for the gradient. 0 where the student cannot be better, and where the
  /// teacher rules the label out.
  [[nodiscard]] static DISTIL_INLINE lanes<T> weight(apart<T> const& row) {
    lanes<T> const infinite(simd::infinity<T>);
    lanes<T> const student = log_cross_entropy(row.second_student),
                   teacher = log_cross_entropy(row.second_teacher);
    auto const nothing = (student == -infinite) | (teacher == infinite);
    return lanes<T>(1) - exp_nonpositive(select(nothing, lanes<T>(0), -exp(student - teacher)));
  }

  /// log log(1 + e^-d): -d where e^-d is nothing beside 1, however small it is.
  [[nodiscard]] static DISTIL_INLINE lanes<T> log_cross_entropy(label_odds<T> const& odds) {
    lanes<T> const sure(sizeof(T) == sizeof(float) ? 20 : 40);
    return select(odds.logit > sure, -odds.logit, log(-odds.log_label));
  }

  lanes<T> temperature_;
  bool squared_;
};

}  // namespace kernels

struct weighted_soft_label_definition {
  static constexpr char const* name = "weighted_soft_label";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  using options = weighted_soft_label_options;
  template <class T>
  using rule = kernels::weighted_soft_label_rule<T>;

  static void check(char const*, options const&) {}
};

/// Soft cross entropy, row by row weighed by how much the teacher is ahead of the student: a trade-off of bias and variance
/// for each sample. Cross entropy with the labels is a term beside it, of coefficient 1 in the paper, where this has 2.5 on
/// ImageNet (2.25 in the authors' other code). @alias WSLD, rethinking soft labels
///
/// @formula   L = w T^2 sum_i -p_i log q_i, the mean over rows, with p = softmax(t / T), q = softmax(z / T), and w = 1 -
///            exp(-CE(z, y) / CE(t, y)) at temperature 1, a constant for the gradient [nats]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`; a distribution
///            that does not say where it was captured is softmax(t / T), and CE(t, y) is that of p^T, normalised
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w T (q - p)
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, times what the rounding of the weight adds: 1 + r e^-r (|d_z| +
///            |d_t|), with r the ratio of the cross entropies and d the logit of the label's probability
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's
/// @cost      one read of student and teacher and one write, 4 exponentials an element, 2 when T is 1; 3 numbers of scratch
///            a class
/// @source    Zhou et al. 2021, arXiv:2102.00650, section 4. Public code adds 1e-7 to CE(t, y); here both are exact however
///            small, and w is 0 where the teacher has masked the label
/// @example   distil::fuse(distil::cross_entropy.term(labels),
///            2.5 * distil::weighted_soft_label.term(teacher, labels))
inline constexpr labelled_loss<label_apart<weighted_soft_label_definition>> weighted_soft_label{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
