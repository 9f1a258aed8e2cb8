#pragma once

#include <span>

#include "distil/response/teacher/term.hpp"
#include "distil/response/temperature/squared_logits_kernel.hpp"

namespace distil {

/// Options of `mean_squared_logits`.
struct mean_squared_logits_options {
  /// Divides both logits: one number or one per row; within [1e-15, 1e15]. No factor T^2 is on offer, since it would undo
  /// this. Default 1.
  row_parameter temperature = 1;

  /// Default mean, as PyTorch's MSELoss has it (which with a mean over rows is its "mean over elements").
  over_classes classes = over_classes::mean;

  /// Removes the mean over the classes from the differences: what softmax cannot see costs nothing. Default false.
  bool centred = false;

  /// Divides by the mean square of the teacher's logits (centred, too, where the differences are): whatever the scale of
  /// its logits. Default false.
  bool relative = false;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Squared differences of logits as a term of a sum.
template <class Storage>
struct mean_squared_logits_term : detail::dense_term<Storage, teacher_form::logits> {
  using base = detail::dense_term<Storage, teacher_form::logits>;
  template <class T>
  using kernel = kernels::squared_logits_kernel<T, kernels::teacher_reader<T, teacher_form::logits>>;

  over_classes classes;
  bool centred, relative;

  mean_squared_logits_term(dense_teacher<Storage, teacher_form::logits> const& the_teacher,
                           mean_squared_logits_options const& options)
      : base({{.rows = options.rows, .temperature_gradient = options.temperature_gradient},
              options.temperature},
             the_teacher),
        classes(options.classes),
        centred(options.centred),
        relative(options.relative) {}

  void check(char const* where, index row_count, index columns) const {
    this->check_teacher(where, row_count, columns);
    this->check_temperature(where, row_count);
    detail::require(classes == over_classes::mean || classes == over_classes::sum, where, "classes",
                    static_cast<int>(classes), "over_classes::mean or over_classes::sum");
    this->check_rows(where, row_count);
  }
};

/// See `mean_squared_logits`.
struct mean_squared_logits_loss : detail::binary_face<mean_squared_logits_loss, mean_squared_logits_options> {
  static constexpr char const* name = "mean_squared_logits";
  static constexpr error_bound bound{.value = 16, .gradient = 32, .temperature_gradient = 2};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           mean_squared_logits_options const& options) {
    return simd::evaluate(name, policy, detail::input_rows(student), output,
                          {.accumulate = options.accumulate}, make_term(teacher, options));
  }

  /// As a term of `fuse`.
  template <class Teacher>
  [[nodiscard]] auto term(Teacher const& teacher, mean_squared_logits_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return make_term(teacher, options);
  }

 private:
  template <class Teacher>
  static auto make_term(Teacher const& teacher, mean_squared_logits_options const& options) {
    if constexpr (detail::direct_access<
                      Teacher const>) {  // a column, too: one number a row, as a regression has
      return mean_squared_logits_term(detail::as_teacher(detail::input_rows(teacher)), options);
    } else {
      return mean_squared_logits_term(detail::as_teacher(teacher), options);
    }
  }
};

/// Mean squared difference of logits. @alias MSE of logits, logits matching, L2 logits, normalized MSE
///
/// @formula   L = (1 / sum w) * sum_b w_b (1 / C) sum_i d_i^2, d = (z - t) / T; `centred`: d - mean d for d; `relative`: the
///            whole over (1 / C) sum_i (t_i / T)^2; `over_classes::sum`: without the 1 / C in front
/// @param     student, teacher [rows, classes] logits; of column vectors one number a row. A class that either has masked
///            (-inf) counts for nothing, and C is the number of the others
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * 2 d_i / (C T)
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, as do differences whose squares no number
///            holds; `relative` ones may be as large as numbers are. Only -inf masks: a finite number that stands for it is
///            a logit like others, and takes part in means. A row of which one side is fully masked counts for nothing, and
///            with `relative` one whose teacher's logits are all 0 (all the same where centred), or so small that their
///            squares are, has loss and gradient 0
/// @error     `bound`, relative to the largest square
/// @cost      one read of student and teacher, one more where centred and one with gradient; no exponentials
/// @source    Ba and Caruana 2014, arXiv:1312.6184, equation 1 (centred by hand there); Kim et al. 2021, arXiv:2105.08919.
///            TextBrewer divides by T as here; DistilBERT's option sums over classes. `relative` is Model Optimizer's
///            normalized_mse a row at a time, which divides by the mean square of the whole batch: that is a factor of the
///            caller's
/// @example   distil::mean_squared_logits.with_grad(student, teacher, gradient, {.centred = true})
inline constexpr mean_squared_logits_loss mean_squared_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
