#pragma once

#include <span>

#include "distil/contrastive/affinity/affinity.hpp"
#include "distil/matrix/pair_loss.hpp"

namespace distil {

struct info_nce_options {
  /// Divides the similarities; within [1e-15, 1e15]. Default 0.07 (He et al. 2020).
  double temperature = 0.07;

  /// Compares directions: divides every embedding by its length first. Default true.
  bool normalize = true;

  /// The mean of this loss and of the one in which the teacher's embeddings look for the student's. Default false.
  bool symmetric = false;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// One number: becomes the derivative of the loss by the temperature. Default: not wanted.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `info_nce`.
struct info_nce_loss : pair_loss<info_nce_loss, info_nce_options, kernels::as_matrices> {
  static constexpr char const* name = "info_nce";
  static constexpr error_bound bound{.value = 32, .gradient = 64, .temperature_gradient = 1};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    info_nce_options const& options) {
    detail::require_same_rows(name, teacher, student);
    detail::require(
        teacher[3] == student[3], name, "teacher",
        [&] { return std::to_string(teacher[3]) + " features wide"; },
        [&] { return std::to_string(student[3]) + " features wide, as the student"; });
    detail::require_temperature(name, options.temperature, options.temperature_gradient, 1);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             info_nce_options const& options) {
    index const rows = operands.student.rows();
    if (!options.temperature_gradient.empty()) options.temperature_gradient[0] = 0.0;
    if (rows == 0) return {};
    struct of_embeddings {};
    struct of_pairs {};
    using embeddings = kernels::embedding_rows<T>;
    index const student_memory = embeddings::memory_of(operands.student);
    T* const memory = simd::scratch<T, of_embeddings>(
        student_memory + embeddings::memory_of(operands.teacher) + operands.student.sample_size());
    index const pairs = rows * rows;
    T* const numbers = simd::scratch<T, of_pairs>((options.symmetric ? 4 : 2) * pairs);
    matrix_view<T> const similarity(numbers, rows, rows), slope(numbers + pairs, rows, rows);

    embeddings const student(policy, operands.student, options.normalize, memory);
    embeddings const teacher(policy, operands.teacher, options.normalize, memory + student_memory);
    kernels::multiply_by_transpose<T>(policy, student.rows(), teacher.rows(), similarity);
    double const factor = (options.symmetric ? 0.5 : 1.0) / static_cast<double>(rows);
    T const scale = static_cast<T>(1.0 / options.temperature);
    double value = kernels::compare_with_own<T>(policy, similarity, scale, factor, slope);
    if (options.symmetric) {
      matrix_view<T> const turned(numbers + 2 * pairs, rows, rows),
          slope_of_turned(numbers + 3 * pairs, rows, rows);
      kernels::transpose<T>(policy, similarity, turned);
      value += kernels::compare_with_own<T>(policy, turned, scale, factor, slope_of_turned);
      kernels::transpose<T>(policy, slope_of_turned, turned);
      kernels::add<T>(policy, turned, slope);
    }
    if (!options.temperature_gradient.empty()) {
      options.temperature_gradient[0] =
          -kernels::by_scale<T>(policy, slope, similarity, 1.0 / options.temperature) /
          (options.temperature * options.temperature);
    }
    kernels::write_gradient<T>(
        policy, operands.gradient, student, memory + student_memory + embeddings::memory_of(operands.teacher),
        [&](matrix_view<T> place) { kernels::multiply<T>(policy, slope, teacher.rows(), place); });
    return {value, static_cast<double>(rows)};
  }
};

/// Each sample's student embedding is to find its own teacher embedding among those of the batch. @alias InfoNCE, NT-Xent
/// between networks
///
/// @formula   L = -(1 / B) sum_i log softmax_j(s_i . t_j / T)_i, of unit rows unless `normalize` says otherwise; with
///            `symmetric` the mean of it and of the same over columns
/// @param     student  [B, D] embeddings, a sample a row
/// @param     teacher  [B, D] embeddings of the same samples
/// @param     gradient [B, D] dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  (q - 1_own) t / (B T), through s / |s| as (g - u (u . g)) / |s|; by the temperature
///            -sum (q - 1_own) s . t / (B T^2). A row of zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound`, relative to 1 + log B + 1 / T for the value and, for a row of length |s|, to
///            (1 + 1 / T) / (B T |s|) for the gradient, with `normalize`; by the temperature to what the value is, over T
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0 and no gradient
/// @cost      2 B^2 D multiplications, B^2 exponentials (2 B^2 when symmetric); 2 to 4 B^2 numbers of scratch
/// @source    van den Oord et al. 2018, equation 4; between student and teacher as in Tian et al. 2020
/// @example   distil::info_nce.with_grad(student, teacher, gradient, {.temperature = 0.1})
inline constexpr info_nce_loss info_nce{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
