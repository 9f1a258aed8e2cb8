#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/response/distribution/rows.hpp"
#include "distil/response/distribution/sorted_row.hpp"

namespace distil {

/// Options of `universal_logits`.
struct universal_logits_options {
  /// Divides both logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Divides the teacher's logits in the place of `temperature`, which then is the student's alone: one number or one
  /// per row; within [1e-15, 1e15]. For logits, and distributions that say what they were captured at. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the loss by T^2. Default false, as in the paper and in TRL; NeMo RL has it.
  bool scale_by_temperature_squared = false;

  /// Multiplies the loss in the place of T^2 or 1, and does not move with the temperatures: one number or one per row;
  /// finite and >= 0; 0 leaves a row out of the sum whatever it holds, and in its divisor. Default: none, as the switch
  /// above says.
  std::optional<row_parameter> factor = std::nullopt;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor. Default: the mean over rows, as in TRL; `reduction::sum` as in DSKD.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same for dL/dT of the teacher's temperature; only where that is set.
  std::span<double> teacher_temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Rows of sum_r |q_(r) - p_(r)|. They are ranked by their logarithms, which are equal where logits are; probabilities
/// are, but for rounding.
template <class Storage, teacher_form Form>
struct universal_logits_term : softened_distribution_term<Storage, Form> {
  static constexpr bool logarithmic = true;
  static constexpr bool logarithmic_teacher = true;

  universal_logits_term(dense_teacher<Storage, Form> const& the_teacher,
                        universal_logits_options const& options)
      : softened_distribution_term<Storage, Form>(the_teacher, options) {}

  template <class T>
  [[nodiscard]] int prepare(index columns) const {
    (void)reserve<T>(columns);
    return 0;
  }

  template <class T>
  [[nodiscard]] double row(int, whole_row<T> const& here) const {
    if (has_nan(here.student, here.classes) || has_nan(here.teacher, here.teacher_classes)) {
      constexpr T nan = std::numeric_limits<T>::quiet_NaN();
      if (here.upstream != nullptr) std::fill(here.upstream, here.upstream + here.classes, nan);
      return nan;
    }
    index const ranks = std::max(here.classes, here.teacher_classes);
    memory<T> const room = reserve<T>(here.classes);
    rank(here.teacher, here.teacher_classes, room.entries, ranks, room.teacher);
    auto const* const own = rank(here.student, here.classes, room.entries, ranks, room.student);
    T const multiplier = static_cast<T>(this->factor_of(here.row));
    T const sum = simd::sum_of<T>(ranks, [&](auto place) {
      return abs(exp_nonpositive(place.load(room.student)) - exp_nonpositive(place.load(room.teacher)));
    });
    if (here.of_teacher != nullptr && this->teacher.moves()) {
      *here.of_teacher = static_cast<double>(multiplier) * moment_of_teacher(room, ranks);
    }
    if (here.upstream != nullptr) {
      lanes<T> const scale(here.scale * multiplier);
      simd::for_each_register<T>(here.classes, [&](auto place) {
        lanes<T> const log_q = place.load(room.student), log_p = place.load(room.teacher);
        lanes<T> const pull = scale * exp_nonpositive(log_q);
        place.store(select(log_q > log_p, pull, select(log_q < log_p, -pull, lanes<T>(0))), room.teacher);
      });
      for (index r = 0; r < here.classes; ++r) here.upstream[own[r].column] = room.teacher[r];
    }
    return static_cast<double>(multiplier * sum);
  }

 private:
  template <class T>
  using entry = typename sorted_row<T>::entry;

  /// Memory of this thread: both rows in order, the shorter one continued, and room to sort the longer one.
  template <class T>
  struct memory {
    T *student, *teacher;
    entry<T>* entries;
  };
  template <class T>
  [[nodiscard]] memory<T> reserve(index columns) const {
    index const ranks = std::max(columns, this->teacher.matrix.columns);
    T* const numbers = simd::scratch<T, universal_logits_term>(2 * ranks);
    return {numbers, numbers + ranks, simd::scratch<entry<T>>(2 * ranks)};
  }

  /// sum sign(q - p) p (log p - E log p), since dL/d log p = -sign(q - p) p.
  template <class T>
  static double moment_of_teacher(memory<T> const& room, index ranks) {
    lanes<T> const nothing(-simd::infinity<T>);
    lanes<T> const mean(mean_under<T>(
        ranks, [&](auto place) { return exp_nonpositive(place.load(room.teacher)); },
        [&](auto place) { return place.load(room.teacher); }));
    return static_cast<double>(simd::sum_of<T>(ranks, [&](auto place) {
      lanes<T> const log_q = place.load(room.student), log_p = place.load(room.teacher);
      lanes<T> const p = select(log_p == nothing, lanes<T>(0), exp_nonpositive(log_p));
      lanes<T> const pull = zero_safe_product(p, log_p - mean);
      return select(log_q > log_p, pull, select(log_q < log_p, -pull, lanes<T>(0)));
    }));
  }

  /// The logarithms of a row in descending order, continued by those of 0; gives the classes that they are of.
  template <class T>
  static entry<T> const* rank(T const* log_probabilities, index size, entry<T>* entries, index ranks, T* to) {
    entry<T> const* const sorted = sorted_row<T>::sort(log_probabilities, size, entries);
    for (index r = 0; r < size; ++r) to[r] = sorted[r].log_probability();
    std::fill(to + size, to + ranks, -simd::infinity<T>);
    return sorted;
  }

  template <class T>
  static bool has_nan(T const* values, index size) {
    lanes<T> found(0);
    simd::for_each_register<T>(size, [&](auto place) {
      lanes<T> const value = place.load(values);
      found = select(value == value, found, lanes<T>(1));
    });
    return any(found > lanes<T>(0));
  }
};

}  // namespace kernels

/// See `universal_logits`.
struct universal_logits_loss : detail::binary_face<universal_logits_loss, universal_logits_options> {
  static constexpr char const* name = "universal_logits";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 4};
  static constexpr bool teacher_has_own_classes = true;

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           universal_logits_options const& options) {
    return kernels::evaluate_rows(
        name, policy, student, output, options.accumulate,
        detail::with_weight(name, options.weight,
                            kernels::universal_logits_term(detail::as_teacher(teacher), options)));
  }
};

/// Universal logit distillation: compares the sorted probabilities of two models whose vocabularies have nothing to
/// do with each other; the transport cost between them when every class costs the same. @alias ULD, ULD loss, GOLD
///
/// @formula   L = (1 / sum w) * sum_b w_b sum_r |q_(r) - p_(r)|, q = softmax(z / T) and p = softmax(t / T) of a row
///            in descending order, the shorter one continued by zeros; times T_b^2 on request (the product of both
///            temperatures where the teacher has its own), or times a factor. Within [0, 2] without
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes of its own] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`;
///            row by row the same position, which the caller aligns
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * q (g - sum q g) / T with g_i = sign(q_(r) - p_(r)) at the rank r of class i and sign(0) =
///            0: a subgradient where two probabilities meet. Equal logits are
///            ranked by class. dL/dT on request, through both sides unless the teacher's is a distribution that stays
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @error     `bound`, with C classes of both; where q_(r) and p_(r) differ by less than
///            rounding, either sign
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, no other's; a row whose student or
///            teacher is fully masked counts for nothing
/// @cost      one read of student and teacher and one write, 4 exponentials an element, 6 with the gradient; sorting takes
///            a time proportional to the classes (to C log C below 1024). Scratch of a thread: 5 numbers and 2 entries of
///            twice that size a class
/// @source    Boizard et al. 2024, arXiv:2402.12030; TRL's GOLD trainer. llm-recipes multiplies by 1.5 and both it
///            and DSKD write into the logits they are given; none of them merges tokens here: that is the caller's
///            alignment
/// @example   distil::universal_logits.with_grad(student, teacher, gradient, {.rows = {.labels = labels}})
inline constexpr universal_logits_loss universal_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
