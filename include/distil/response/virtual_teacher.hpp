#pragma once

#include <cmath>
#include <optional>

#include "distil/response/labels/soft_hard_loss.hpp"

namespace distil {

/// What the temperature does to the virtual teacher.
enum class virtual_softening {
  of_probabilities,  ///< softmax(p / T): the authors' code, nearly uniform
  of_logits          ///< softmax(log p / T), as a network's teacher is softened
};

/// Options of teacher-free distillation.
struct virtual_teacher_options {
  /// Softens the student in the soft term: one number or one per row; within [1e-15, 1e15]. Default 1, as in the authors'
  /// code; the paper has the teacher's.
  row_parameter temperature = 1;

  /// Softens the virtual teacher; within [1e-15, 1e15]. Default 20, as in the paper.
  double teacher_temperature = 20;

  /// Multiplies the soft term by T^2 of the student. Default false.
  bool scale_by_temperature_squared = false;

  /// What the virtual teacher gives the label before it is softened, within (0, 1). Default 0.99, as in the paper.
  double label_probability = 0.99;

  /// What that does. Default of_probabilities, as in the authors' code.
  virtual_softening softening = virtual_softening::of_probabilities;

  /// Multiplies the soft term; finite and >= 0. Default 0.1. The authors' code divides it by the classes as well, and
  /// multiplies by a number that makes up for that.
  double soft_weight = 0.1;

  /// Multiplies the hard term; finite and >= 0. Default: 1 - soft_weight.
  std::optional<double> hard_weight = std::nullopt;

  /// Weights, ignored label, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and both losses without their weights.
struct virtual_teacher_value : loss_value {
  loss_value hard;  ///< cross entropy at temperature 1
  loss_value soft;  ///< divergence from the virtual teacher
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Cross entropy with the virtual teacher, less its entropy.
template <class T, class Term>
class virtual_teacher_kernel : public cross_entropy_kernel<T, Term> {
  using base = cross_entropy_kernel<T, Term>;

 public:
  template <class Student>
  DISTIL_INLINE virtual_teacher_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                       lanes<T> scale)
      : base(term, student, rows, scale), entropy_(term.entropy(student.columns)) {
    if (term.squared) {
      lanes<T> const temperature = rows.values<T>(term.temperature);
      entropy_ *= temperature * temperature;
    }
  }
  /// Rounding does not make it negative.
  [[nodiscard]] DISTIL_INLINE lanes<T> value() const {
    lanes<T> const divergence = base::value() - entropy_;
    return select(divergence < lanes<T>(0), lanes<T>(0), divergence);
  }

 private:
  lanes<T> entropy_;
};

}  // namespace kernels

/// The divergence from the virtual teacher as a term of a sum.
struct virtual_teacher_term : detail::cross_entropy_base<detail::single_label_targets> {
  using arithmetic = float;  // that of the student decides
  template <class T>
  using kernel = kernels::virtual_teacher_kernel<T, virtual_teacher_term>;

  double label_probability, teacher_temperature;
  virtual_softening softening;

  virtual_teacher_term(label_view labels, virtual_teacher_options const& options)
      : detail::cross_entropy_base<detail::single_label_targets>(
            {labels}, {.temperature = options.temperature,
                       .scale_by_temperature_squared = options.scale_by_temperature_squared,
                       .label_smoothing = 1,
                       .rows = options.rows}),
        label_probability(options.label_probability),
        teacher_temperature(options.teacher_temperature),
        softening(options.softening) {}

  void check(char const* where, index row_count, index columns) const {
    detail::cross_entropy_base<detail::single_label_targets>::check(where, row_count, columns);
    detail::require(label_probability > 0.0 && label_probability < 1.0, where, "label_probability",
                    label_probability, "within (0, 1)");
    detail::require(detail::is_temperature(teacher_temperature), where, "teacher_temperature",
                    teacher_temperature, detail::must_be_temperature);
  }

  // What `cross_entropy_base` asks of smoothing: the mass on each class, and what the label has above it.
  [[nodiscard]] double spread(index columns) const {
    return columns > 1 ? others(columns) / static_cast<double>(columns - 1) : 0.0;
  }
  [[nodiscard]] double keep(index columns) const { return 1.0 - others(columns) - spread(columns); }

  [[nodiscard]] double entropy(index columns) const {
    auto const part = [](double p) { return p > 0.0 ? -p * std::log(p) : 0.0; };
    return part(1.0 - others(columns)) + static_cast<double>(columns - 1) * part(spread(columns));
  }

 private:
  /// What all other classes have together, from the logarithm of how many times as much as one of them the label has.
  [[nodiscard]] double others(index columns) const {
    if (columns < 2) return 0.0;
    double const other_classes = static_cast<double>(columns - 1);
    double const each = (1.0 - label_probability) / other_classes;
    double const lead = softening == virtual_softening::of_probabilities ? label_probability - each
                                                                         : std::log(label_probability / each);
    return 1.0 / (1.0 + std::exp(lead / teacher_temperature) / other_classes);
  }
};

/// See `virtual_teacher`.
struct virtual_teacher_loss
    : detail::binary_face<virtual_teacher_loss, virtual_teacher_options, virtual_teacher_value,
                          detail::label_argument>,
      soft_hard_sum<virtual_teacher_loss, virtual_teacher_options, virtual_teacher_value> {
  static constexpr char const* name = "virtual_teacher";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <class Student, class Output>
  [[nodiscard]] static virtual_teacher_value evaluate(detail::any_policy policy, Student const& student,
                                                      label_view labels, Output const& output,
                                                      virtual_teacher_options const& options) {
    return soft_and_hard(
        policy, student, labels, output, options,
        [&](bool, virtual_teacher_options const& of_term) { return virtual_teacher_term(labels, of_term); });
  }

  /// The soft term alone, without weight, for `fuse`. Labels and every span in the options must outlive the objective.
  template <detail::labels_like Labels>
  [[nodiscard]] auto term(Labels const& labels, virtual_teacher_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return virtual_teacher_term(label_view(labels), options);
  }
};

/// Distillation without a teacher: one that gives the label a probability, and every other class the same. @alias Tf-KD,
/// Tf-KD_reg, teacher-free KD
///
/// @formula   L = hard_weight CE(z, y) + soft_weight KL(p || softmax(z / T)), each the mean over its rows, with p the
///            softened (label_probability on y, the rest in equal shares on the others) [nats]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself
/// @gradient  hard_weight (softmax(z) - e_y) + soft_weight (softmax(z / T) - p) / T
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = hard_weight + soft_weight
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's. A
///            masked class makes the loss +inf, since the virtual teacher wants every one
/// @cost      two reads and one write, 1 exponential an element at T = 1; 1 number of scratch a class
/// @source    Yuan et al. 2020, arXiv:1909.11723, section 4.2. With `of_logits` and T = 1 the soft term has the gradient of
///            cross entropy with `smoothing::other_classes`
/// @example   distil::virtual_teacher.with_grad(student, labels, gradient, {.soft_weight = 0.5})
inline constexpr virtual_teacher_loss virtual_teacher{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
