#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "distil/response/distribution/ranked_rows.hpp"
#include "distil/response/distribution/rows.hpp"
#include "distil/response/vocabulary/common_tokens.hpp"

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

  /// Tokens that are compared as they are: the hybrid form of GOLD. Default: none.
  common_tokens in_common = {};

  /// Multiplies the student's probabilities of a row by its exponential: the logarithm of the probability of those tokens
  /// which were merged into this one; one number or one per row, <= 0. Default 0.
  row_parameter student_log_mass = 0;

  /// The same of the teacher's.
  row_parameter teacher_log_mass = 0;

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

  /// Where to write the derivative by each row's `student_log_mass`; one per row. Overwritten. Default: nowhere.
  std::span<double> student_log_mass_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Rows of sum_r |q_(r) - p_(r)|, and of a divergence between tokens in common. Probabilities are ranked by their logarithms,
/// which are equal where logits are; probabilities are, but for rounding.
template <class Storage, teacher_form Form>
class universal_logits_term : public softened_distribution_term<Storage, Form> {
  using base = softened_distribution_term<Storage, Form>;
  struct of_student {};
  struct of_teacher {};

 public:
  static constexpr bool logarithmic = true;
  static constexpr bool logarithmic_teacher = true;

  universal_logits_term(dense_teacher<Storage, Form> const& the_teacher,
                        universal_logits_options const& options)
      : base(the_teacher, options), options_(options) {}

  /// The derivative by the masses needs that by log q.
  [[nodiscard]] bool wants_upstream() const { return !options_.student_log_mass_gradient.empty(); }

  void check(char const* where, index row_count, index columns) const {
    base::check(where, row_count, columns);
    detail::require_common(where, options_.in_common);
    for (auto const& [argument, log_mass] : {std::pair("student_log_mass", options_.student_log_mass),
                                             std::pair("teacher_log_mass", options_.teacher_log_mass)}) {
      detail::require_parameter(where, argument, log_mass, row_count, is_log_mass, must_be_log_mass);
    }
    if (wants_upstream()) {
      auto const size = static_cast<index>(options_.student_log_mass_gradient.size());
      detail::require_size(where, "student_log_mass_gradient", size, row_count);
    }
  }
  void check_numbers(char const* where, detail::computing_type type) const {
    base::check_numbers(where, type);
    common_tokens const& common = options_.in_common;
    detail::require_factor(where, "in_common.weight", common.weight.value_or(0.0), type);
    detail::require_factor(where, "in_common.weight_of_others", common.weight_of_others.value_or(0.0), type);
  }
  void inspect(char const* where, index row_count, index columns) const {
    base::inspect(where, row_count, columns);
    detail::require_row_values(where, "student_log_mass", options_.student_log_mass, is_log_mass,
                               must_be_log_mass);
    detail::require_row_values(where, "teacher_log_mass", options_.teacher_log_mass, is_log_mass,
                               must_be_log_mass);
    (void)tokens_beside<of_student>(where, "in_common.student", options_.in_common.student, columns);
    (void)tokens_beside<of_teacher>(where, "in_common.teacher", options_.in_common.teacher,
                                    this->teacher.matrix.columns);
  }

  struct plan {
    other_tokens student, teacher;
    double weight, weight_of_others;
  };
  template <class T>
  [[nodiscard]] plan prepare(index columns) const {
    index const of_teachers = this->teacher.matrix.columns;
    (void)reserve<T>(columns);
    std::fill(options_.student_log_mass_gradient.begin(), options_.student_log_mass_gradient.end(), 0.0);
    common_tokens const& common = options_.in_common;
    double const share = static_cast<double>(common.teacher.size()) / static_cast<double>(of_teachers);
    constexpr char const* where = "universal_logits";
    return {tokens_beside<of_student>(where, "in_common.student", common.student, columns),
            tokens_beside<of_teacher>(where, "in_common.teacher", common.teacher, of_teachers),
            common.weight.value_or(share), common.weight_of_others.value_or(1.0 - share)};
  }

  template <class T>
  [[nodiscard]] double row(plan const& of, whole_row<T> const& here) const {
    if (has_nan(here.student, here.classes) || has_nan(here.teacher, here.teacher_classes)) {
      constexpr T nan = std::numeric_limits<T>::quiet_NaN();
      if (here.upstream != nullptr) std::fill(here.upstream, here.upstream + here.classes, nan);
      put_mass(here.row, nan);
      return nan;
    }
    memory<T> const room = reserve<T>(here.classes);
    double const of_row = this->factor_of(here.row);
    bool const by_teacher = here.of_teacher != nullptr && this->teacher.moves();
    T const mean = by_teacher ? mean_log(here.teacher, here.teacher_classes) : T(0);
    if (here.upstream != nullptr) std::fill(here.upstream, here.upstream + here.classes, T(0));
    double value = 0.0, slope = 0.0;
    if (options_.in_common.student.size() > 0 && of.weight > 0.0) {
      double const multiplier = of_row * of.weight;
      auto const found = compare_common(here, room, multiplier, mean);
      value += multiplier * found.value;
      slope += multiplier * found.of_teacher;
    }
    if (of.student.count > 0 && of.teacher.count > 0 && of.weight_of_others > 0.0) {
      double const multiplier = of_row * of.weight_of_others;
      T const mass = static_cast<T>(options_.teacher_log_mass[here.row]);
      gather(here.student, of.student, static_cast<T>(options_.student_log_mass[here.row]), room.student);
      gather(here.teacher, of.teacher, mass, room.teacher);
      ranked_rows<T> ranked(room.student, of.student.count, room.teacher, of.teacher.count);
      value += multiplier * static_cast<double>(ranked.distance());
      if (by_teacher) slope += multiplier * ranked.moment_of_teacher(mean + mass);
      if (here.upstream != nullptr) {
        ranked.differentiate(here.scale * static_cast<T>(multiplier),
                             [&](index at, T by_log) { here.upstream[of.student[at]] = by_log; });
      }
    }
    if (by_teacher) *here.of_teacher = slope;
    if (here.upstream != nullptr) {
      put_mass(here.row,
               simd::sum_of<T>(here.classes, [&](auto place) { return place.load(here.upstream); }));
    }
    return value;
  }

 private:
  static constexpr auto is_log_mass = [](double value) { return value <= 0.0; };
  static constexpr char const* must_be_log_mass = "<= 0, the logarithm of a probability";
  /// Memory of this thread: of both rows what is compared, and a derivative for each class in common.
  template <class T>
  struct memory {
    T *student, *teacher, *slope;
  };
  template <class T>
  [[nodiscard]] memory<T> reserve(index columns) const {
    index const of_teachers = this->teacher.matrix.columns, most = std::max(columns, of_teachers);
    ranked_rows<T>::reserve(most);
    T* const numbers = simd::scratch<T, universal_logits_term>(3 * most);
    return {numbers, numbers + most, numbers + 2 * most};
  }

  template <class T>
  static void gather(T const* row, other_tokens const& of, T log_mass, T* to) {
    for (index k = 0; k < of.count; ++k) to[k] = row[of[k]] + log_mass;
  }

  /// E log p.
  template <class T>
  [[nodiscard]] static T mean_log(T const* log_p, index classes) {
    return mean_under<T>(
        classes, [&](auto place) { return exp_nonpositive(place.load(log_p)); },
        [&](auto place) { return place.load(log_p); });
  }

  struct comparison {
    double value, of_teacher;
  };
  /// The divergence between tokens in common; its derivative by log q goes upstream.
  template <class T>
  [[nodiscard]] comparison compare_common(whole_row<T> const& here, memory<T> const& room, double multiplier,
                                          T mean) const {
    common_tokens const& common = options_.in_common;
    index const count = common.student.size();
    T const student_mass = static_cast<T>(options_.student_log_mass[here.row]);
    T const teacher_mass = static_cast<T>(options_.teacher_log_mass[here.row]);
    for (index k = 0; k < count; ++k) {
      room.student[k] = here.student[common.student[k]] + student_mass;
      room.teacher[k] = here.teacher[common.teacher[k]] + teacher_mass;
    }
    common_summand<lanes<T>> const summand(common.teacher_mix);
    lanes<T> const scale(here.scale * static_cast<T>(multiplier)), mean_of_teacher(mean + teacher_mass);
    lanes<T> by_teacher(0);
    T const value = simd::sum_of<T>(count, [&](auto place) {
      lanes<T> const log_p = place.load(room.teacher), log_q = place.load(room.student);
      auto const found = summand.at({log_p, log_q, exp_nonpositive(log_p), exp_nonpositive(log_q)});
      place.store(scale * found.d_log_q, room.slope);
      by_teacher -= place.only(zero_safe_product(found.d_log_p, log_p - mean_of_teacher));
      return found.value;
    });
    if (here.upstream != nullptr) {
      for (index k = 0; k < count; ++k) here.upstream[common.student[k]] = room.slope[k];
    }
    return {static_cast<double>(value), static_cast<double>(first_of(sum_across(by_teacher)))};
  }

  template <class T>
  void put_mass(index row, T slope) const {
    if (wants_upstream())
      options_.student_log_mass_gradient[static_cast<std::size_t>(row)] = static_cast<double>(slope);
  }

  universal_logits_options options_;
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
///            temperatures where the teacher has its own), or times a factor. Within [0, 2] without. The hybrid form takes
///            tokens in common apart: weight * (m KL(p || M) + (1 - m) KL(q || M)) over these, M = m p + (1 - m) q, +
///            weight_of_others * the distance of the ranked rest, which is 0 where one side has no rest. Merged tokens
///            multiply q and p of their row by e^(log mass), which then do not sum to one
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
///            a time proportional to the classes (to C log C below 1024). Scratch of a thread: 8 numbers and 2 entries of
///            twice that size a class
/// @source    Boizard et al. 2024, arXiv:2402.12030; TRL's GOLD trainer. llm-recipes multiplies by 1.5 and both it
///            and DSKD write into the logits they are given. TRL's hybrid form clamps probabilities at 1e-8; here 0 log 0 = 0. The
///            caller aligns positions and sums the log-probabilities of merged tokens (`cross_entropy` gives them per row);
///            `student_log_mass_gradient`, negated, is the coefficient of their cross entropy in the gradient
/// @example   distil::universal_logits.with_grad(student, teacher, gradient, {.rows = {.labels = labels}})
inline constexpr universal_logits_loss universal_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
