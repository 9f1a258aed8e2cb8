#pragma once

#include <optional>

#include "distil/response/mean_of_logits.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil {

/// What the classes that the old network does not know do in its lesson.
enum class new_classes {
  left_out,  ///< the student's softmax is over the old classes alone
  zero_targets  ///< the student's softmax is over all classes, and the old network gives the new ones probability 0
};

/// Options of `learning_without_forgetting`.
struct learning_without_forgetting_options {
  /// Softens old network and student: one number or one per row; within [1e-15, 1e15]. Default 2, as in the paper.
  row_parameter temperature = 2;

  /// Multiplies the loss by T^2. Default false, as in the paper.
  bool scale_by_temperature_squared = false;

  /// What happens to classes that the old network does not know. Default: left out, as in the paper.
  new_classes beyond = new_classes::left_out;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. Default 1.
  double weight = 1.0;

  /// Weights, ignored label, reduction, divisor. Default: the mean over rows.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `learning_without_forgetting`.
struct learning_without_forgetting_loss
    : detail::binary_face<learning_without_forgetting_loss, learning_without_forgetting_options> {
  static constexpr char const* name = "learning_without_forgetting";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           learning_without_forgetting_options const& options) {
    auto const logits = detail::logit_rows(student);
    auto old = mean_of_logits(teacher);
    old.knows_first_classes = true;
    index const known = old.members[0].logits.columns;
    detail::require_matrix(name, "student", logits);
    detail::require(known >= 1 && known <= logits.columns, name, "number of old classes", known, [&] {
      return detail::said("within [1, ", logits.columns, "], the classes of the student");
    });
    auto const term = detail::with_weight(
        name, options.weight,
        soft_cross_entropy.term(old, {.temperature = options.temperature,
                                      .scale_by_temperature_squared = options.scale_by_temperature_squared,
                                      .rows = options.rows,
                                      .temperature_gradient = options.temperature_gradient}));
    objective_options const whole{.accumulate = options.accumulate};
    if (options.beyond == new_classes::zero_targets || known == logits.columns) {
      return simd::evaluate(name, policy, logits, output, whole, term);
    }
    if constexpr (std::is_same_v<Output, detail::no_gradient>) {
      return simd::evaluate(name, policy, first_classes(logits, known), output, whole, term);
    } else {
      detail::require_shape(name, "gradient", output, logits.rows, logits.columns);
      loss_value const value = simd::evaluate(name, policy, first_classes(logits, known),
                                              first_classes(output, known), whole, term);
      if (!options.accumulate) clear_from(output, known);
      return value;
    }
  }

 private:
  template <class T>
  [[nodiscard]] static detail::row_view<T> first_classes(detail::row_view<T> matrix, index count) {
    matrix.columns = count;
    return matrix;
  }
  template <class T>
  static void clear_from(detail::row_view<T> const& gradient, index first) {
    for (index row = 0; row < gradient.rows; ++row) {
      for (index column = first; column < gradient.columns; ++column) {
        gradient(row, column) = detail::narrow<T>(arithmetic_t<T>(0));
      }
    }
  }
};

/// Learning without forgetting: a network that has got new classes keeps saying of the old ones what it said before. The old
/// network's logits are its teacher's; beside it stands the cross entropy of the new task. @alias LwF
///
/// @formula   L = (1 / sum w) * sum_b w_b sum_i -p_i log q_i over the old classes, p = softmax(t / T) and q =
///            softmax(z / T) [nats], times T_b^2 on request; q is normalised over the old classes, or over all of them with
///            `new_classes::zero_targets`
/// @param     student  [rows, classes] logits, the old classes first; finite or -inf (class masked)
/// @param     teacher  [rows, old classes] logits, at most as many as the student's; or a `mean_of_logits` of such
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * (q - p) / T with p = 0 beyond the old classes; 0 there, where they are left out
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @error     `bound`, as of `soft_cross_entropy`
/// @nan       a NaN or +inf logit that counts makes the loss and gradient of its row NaN, no other's; fully masked rows
///            count for nothing
/// @cost      as `soft_cross_entropy`, with a copy of each block of the teacher
/// @source    Li and Hoiem 2016, arXiv:1606.09282, equation 2: the modified cross entropy at T = 2, of an old head alone,
///            without T^2. mammoth leaves new classes out as well; the code of van de Ven has zero targets, with T^2 as an
///            option
/// @example   distil::learning_without_forgetting.with_grad(student, old, gradient,
///                                                          {.beyond = distil::new_classes::zero_targets})
inline constexpr learning_without_forgetting_loss learning_without_forgetting{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
