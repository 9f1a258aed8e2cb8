#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/response/distribution_rows.hpp"
#include "distil/response/sorted_row.hpp"

namespace distil {

/// Options of `universal_logits`.
struct universal_logits_options {
  /// Divides both logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Multiplies the loss by T^2. Default false, as in the paper and in TRL; NeMo RL has it.
  bool scale_by_temperature_squared = false;

  /// Weights, reduction, divisor. Default: the mean over rows, as in TRL; `reduction::sum` as in DSKD.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Rows of sum_r |q_(r) - p_(r)|.
template <class Storage, teacher_form Form>
struct universal_logits_term : distribution_term<Storage, Form> {
  static constexpr bool logarithmic_teacher = false;
  static constexpr bool logarithmic = false;
  bool squared;

  universal_logits_term(dense_teacher<Storage, Form> const& the_teacher,
                        universal_logits_options const& options)
      : distribution_term<Storage, Form>(the_teacher, options.temperature, options.rows),
        squared(options.scale_by_temperature_squared) {}

  void check(char const* where, index row_count, index /*columns*/) const {
    this->check_rows_of_teacher(where, row_count);
    this->check_options(where, row_count);
  }

  template <class T>
  [[nodiscard]] int prepare(index columns) const {
    (void)reserve<T>(columns);
    return 0;
  }

  template <class T>
  [[nodiscard]] double row(int, whole_row<T> const& here) const {
    double const factor = squared ? here.temperature * here.temperature : 1.0;
    if (has_nan(here.student, here.classes) || has_nan(here.teacher, here.teacher_classes)) {
      constexpr T nan = std::numeric_limits<T>::quiet_NaN();
      if (here.upstream != nullptr) std::fill(here.upstream, here.upstream + here.classes, nan);
      return nan;
    }
    auto* const own_room = reserve<T>(here.classes);
    auto const* const own = sorted_row<T>::sort(here.student, here.classes, own_room);
    auto const* const other =
        sorted_row<T>::sort(here.teacher, here.teacher_classes, own_room + 2 * here.classes);
    double sum = 0.0;
    T const slope = here.scale * static_cast<T>(factor);
    for (index rank = 0; rank < here.classes; ++rank) {
      T const p = rank < here.teacher_classes ? other[rank].probability() : T(0);
      T const difference = own[rank].probability() - p;
      sum += static_cast<double>(std::abs(difference));
      if (here.upstream != nullptr) {
        here.upstream[own[rank].column] = difference > 0 ? slope : difference < 0 ? -slope : T(0);
      }
    }
    for (index rank = here.classes; rank < here.teacher_classes; ++rank) {
      sum += static_cast<double>(other[rank].probability());
    }
    return factor * sum;
  }

 private:
  /// Memory of this thread for sorting both rows.
  template <class T>
  [[nodiscard]] auto* reserve(index columns) const {
    using entry = typename sorted_row<T>::entry;
    return simd::scratch<entry>(2 * (columns + this->teacher.matrix.columns));
  }

  template <class T>
  static bool has_nan(T const* values, index size) {
    T const sum = simd::sum_of<T>(size, [&](auto place) { return place.load(values); });
    return !(sum >= T(0));
  }
};

}  // namespace kernels

/// See `universal_logits`.
struct universal_logits_loss {
  static constexpr char const* name = "universal_logits";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher,
                                      universal_logits_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      universal_logits_options const& options = {}) const {
    return kernels::evaluate_rows(name, policy, student,
                                  kernels::universal_logits_term(detail::as_teacher(teacher), options));
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                       universal_logits_options const& options = {}) const {
    return with_grad(serial, student, teacher, gradient, options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                       universal_logits_options const& options = {}) const {
    return kernels::evaluate_rows_with_gradient(
        name, policy, student, gradient, options.accumulate,
        kernels::universal_logits_term(detail::as_teacher(teacher), options));
  }
};

/// Universal logit distillation: compares the sorted probabilities of two models whose vocabularies have nothing to
/// do with each other; the transport cost between them when every class costs the same. @alias ULD, ULD loss, GOLD
///
/// @formula   L = (1 / sum w) * sum_b w_b sum_r |q_(r) - p_(r)|, q = softmax(z / T) and p = softmax(t / T) of a row
///            in descending order, the shorter one continued by zeros; times T_b^2 on request. Within [0, 2] without
///            it
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes of its own] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`;
///            row by row the same position, which the caller aligns
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * q (g - sum q g) / T with g_i = sign(q_(r) - p_(r)) at the rank r of class i and sign(0) =
///            0: a subgradient where two probabilities meet. Equal probabilities are ranked by class
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @error     `universal_logits_loss::bound`, with C classes of both; where q_(r) and p_(r) differ by less than
///            rounding, either sign
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, no other's; a row whose student or
///            teacher is fully masked counts for nothing
/// @cost      one read of student and teacher and one write, 2 exponentials an element; sorting takes a time
///            proportional to the classes (to C log C below 1024). Scratch of a thread: 6 numbers and 4 entries of
///            twice that size a class
/// @source    Boizard et al. 2024, arXiv:2402.12030; TRL's GOLD trainer. llm-recipes multiplies by 1.5 and both it
///            and DSKD write into the logits they are given; none of them merges tokens here: that is the caller's
///            alignment
/// @example   distil::universal_logits.with_grad(student, teacher, gradient, {.rows = {.labels = labels}})
inline constexpr universal_logits_loss universal_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
