#pragma once

#include <array>
#include <optional>

#include "distil/response/labels/labelled_loss.hpp"
#include "distil/response/labels/look_up.hpp"
#include "distil/response/softmax/partition_kernel.hpp"

namespace distil {

/// Options of hard distillation.
struct hard_distillation_options {
  /// Multiplies the cross entropy with the teacher's choice; finite and >= 0. Default 0.5, as in DeiT.
  double teacher_weight = 0.5;

  /// Multiplies the cross entropy with the labels; finite and >= 0. Default: 1 - teacher_weight.
  std::optional<double> label_weight = std::nullopt;

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Cross entropy with two classes of each row, the label and the teacher's choice.
template <class T>
class hard_distillation_kernel : public partition_kernel<T> {
  using base = partition_kernel<T>;

 public:
  template <class Term, class Student>
  DISTIL_INLINE hard_distillation_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                         lanes<T> scale)
      : base(term, student, rows, scale),
        weight_{lanes<T>(term.label_weight), lanes<T>(term.teacher_weight)} {}

  template <class Term, class Student>
  DISTIL_INLINE void look_up(Term const& term, Student const& student, simd::tile const& rows) {
    T poisons[static_cast<std::size_t>(lanes<T>::size)] = {};
    class_[0] = looked_up<T>(rows, [&](index row) { return term.class_of(row); });
    class_[1] = looked_up<T>(rows, [&](index row) {
      first_maximum<T> const choice(term.teacher.matrix, row);
      poisons[row - rows.first_row] = choice.poison;
      return choice.at;
    });
    poison_ = this->axis_.of_rows(poisons);
    for (std::size_t i = 0; i < 2; ++i) logit_[i] = class_[i].in(student, rows, T(0));
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const& student) {
    base::close(student);
    lanes<T> sum(0);
    for (std::size_t i = 0; i < 2; ++i) {
      loss_ += zero_safe_product(weight_[i], this->log_sum_ - (logit_[i] - student.shift()));
      sum += weight_[i];
    }
    loss_ += poison_;
    probability_scale_ = this->scale_ * (sum / this->sum_ + poison_);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return loss_; }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }
  [[nodiscard]] DISTIL_INLINE scaled_exponentials<T> gradient(lanes<T> decay, simd::kept<T>) const {
    return {probability_scale_ * decay};
  }
  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, simd::tile const& rows, simd::block const& columns,
                           Target const& target) const {
    lanes<T> const masked(-simd::infinity<T>);
    for (std::size_t i = 0; i < 2; ++i) {
      class_[i].add(-select(logit_[i] == masked, lanes<T>(0), this->scale_ * weight_[i]), rows, columns,
                    target);
    }
  }

 private:
  std::array<lanes<T>, 2> weight_;
  std::array<looked_up<T>, 2> class_;
  std::array<lanes<T>, 2> logit_{};
  lanes<T> poison_{0}, loss_{0}, probability_scale_{0};
};

}  // namespace kernels

/// Hard distillation as a term of a sum.
template <class Storage, teacher_form Form>
struct hard_distillation_term : detail::labelled_term<Storage, Form> {
  template <class T>
  using kernel = kernels::hard_distillation_kernel<T>;

  double teacher_weight, label_weight;

  hard_distillation_term(dense_teacher<Storage, Form> const& the_teacher, label_view the_labels,
                         bool is_labelled, hard_distillation_options const& options)
      : detail::labelled_term<Storage, Form>(the_teacher, the_labels, options, 1, false),
        teacher_weight(options.teacher_weight),
        label_weight(is_labelled ? options.label_weight.value_or(1.0 - options.teacher_weight) : 0.0) {
    this->labelled = is_labelled;
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "teacher_weight", teacher_weight, type);
    detail::require_factor(where, "label_weight", label_weight, type, detail::is_weight,
                           "finite and >= 0 (set it when teacher_weight is above 1)");
  }
};

struct hard_distillation_definition {
  static constexpr char const* name = "hard_distillation";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  using options = hard_distillation_options;

  template <class Storage, teacher_form Form>
  static auto make_term(dense_teacher<Storage, Form> const& teacher, label_view labels,
                        options const& chosen) {
    return hard_distillation_term<Storage, Form>(teacher, labels, true, chosen);
  }
  template <class Storage, teacher_form Form>
  static auto make_term(dense_teacher<Storage, Form> const& teacher, options const& chosen) {
    return hard_distillation_term<Storage, Form>(teacher, {}, false, chosen);
  }
};

/// Hard distillation: the teacher's choice is a second label. Without labels the teacher's part stands alone, with its
/// weight: that is DeiT's head of distillation, whose head of classes takes `cross_entropy`. @alias DeiT, hard-label
/// distillation, distillation token
///
/// @formula   L = label_weight CE(z, y) + teacher_weight CE(z, argmax t), the mean over rows [nats]; the first of several
///            largest classes is the choice
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   none, or one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  (label_weight + teacher_weight) softmax(z) - label_weight e_y - teacher_weight e_argmax
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = label_weight + teacher_weight
/// @nan       a NaN or +inf on either side makes the loss and gradient of its row NaN (masked classes may get 0), no
///            other's; +inf where the student has masked one of the two. A negative probability is never the choice
/// @cost      one read of student and teacher and one write, 1 exponential an element; 1 number of scratch a class
/// @source    Touvron et al. 2021, arXiv:2012.12877, section 4. timm and DeiT have two heads; with one head the loss is
///            that of a label shared between two classes
/// @example   distil::cross_entropy.with_grad(class_head, labels, class_gradient);
///            distil::hard_distillation.with_grad(distillation_head, teacher, distillation_gradient)
inline constexpr labelled_loss<hard_distillation_definition> hard_distillation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
