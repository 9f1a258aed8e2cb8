#pragma once

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"

namespace distil {

/// What the squared distance of two covariances is divided by.
enum class alignment_divisor {
  four_squared_widths,  ///< 4 D^2: the paper
  squared_widths,       ///< D^2: the mean over the elements
  one
};

struct correlation_alignment_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the paper's. tllib has the mean over the elements.
  alignment_divisor divisor = alignment_divisor::four_squared_widths;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `correlation_alignment`.
struct correlation_alignment_loss
    : pair_loss<correlation_alignment_loss, correlation_alignment_options, kernels::as_matrices> {
  static constexpr char const* name = "correlation_alignment";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    correlation_alignment_options const&) {
    detail::require(
        teacher[3] == student[3], name, "teacher", [&] { return detail::said(teacher[3], " features"); },
        [&] { return detail::said("of ", student[3], " features, as the student's"); });
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             correlation_alignment_options const& options) {
    using lanes = simd::lanes<T>;
    index const rows = operands.student.rows(), columns = operands.student.columns();
    index const most = std::max(rows, operands.teacher.rows()), square = columns * columns;
    if (rows == 0 || operands.teacher.rows() == 0) return {};
    T* const memory = simd::scratch<T, correlation_alignment_loss>(2 * most * columns + 2 * square);
    matrix_view<T> const difference(memory + 2 * most * columns, columns, columns);
    matrix_view<T> const other(difference.data + square, columns, columns);
    matrix_view<T> const room(memory + most * columns, rows, columns);
    covariance(policy, operands.teacher, memory, other);
    auto const centred = covariance(policy, operands.student, memory, difference);

    double const width = static_cast<double>(columns);
    double const divisor = options.divisor == alignment_divisor::one              ? 1.0
                           : options.divisor == alignment_divisor::squared_widths ? width * width
                                                                                  : 4.0 * width * width;
    double const by = rows > 1 ? 4.0 / (divisor * static_cast<double>(rows - 1)) : 0.0;
    lanes const scale(static_cast<T>(by));
    double const sum = simd::sum_chunks(
        policy, columns, simd::worth_a_chunk(columns), square, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            T* const row = &difference(i, 0);
            total += static_cast<double>(simd::sum_of<T>(columns, [&](auto place) {
              lanes const d = place.load(row) - place.load(&other(i, 0));
              place.store(scale * d, row);
              return d * d;
            }));
          }
          return total;
        });
    if (operands.gradient) {
      auto const gradient = operands.gradient.matrix(room.data);
      kernels::multiply<T>(policy, centred, difference, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {sum / divisor, static_cast<double>(rows)};
  }

 private:
  /// X' X / (n - 1) of the centred rows, which are left in the memory; of one row 0.
  template <class T>
  static matrix_view<T const> covariance(detail::any_policy policy, kernels::map_source<T> const& source,
                                         T* memory, matrix_view<T> result) {
    matrix_view<T> const centred(memory, source.rows(), source.columns());
    kernels::centre_rows<T>(policy, source.matrix(memory), centred);
    kernels::multiply_transpose<T>(policy, centred, centred, result);
    T const share = static_cast<T>(1.0 / static_cast<double>(std::max<index>(1, source.rows() - 1)));
    for (index row = 0; row < result.rows; ++row) {
      T* const numbers = &result(row, 0);
      for (index column = 0; column < result.columns; ++column) numbers[column] *= share;
    }
    return centred;
  }
};

/// The covariances of two sets of features agree: domain adaptation beside distillation, by second moments alone. Samples are
/// no pairs, and may differ in number. @alias CORAL, Deep CORAL
///
/// @formula   L = |C_x - C_y|_F^2 / (4 D^2), C = (X - mean)' (X - mean) / (n - 1)
/// @param     student  [n, D] features, a sample a row
/// @param     teacher  [m, D] features of the other side; where it learns too, call once more with both exchanged
/// @param     gradient [n, D] dL/dx, overwritten or added; may be the student itself, never the teacher
/// @gradient  (X - mean) (C_x - C_y) / (D^2 (n - 1)); one sample has no covariance, and no gradient
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of (|C_x|_F + |C_y|_F)^2 over the divisor for the value, and of the largest element of |X -
///            mean| (|C_x| + |C_y|) times what multiplies it for the gradient
/// @nan       a NaN makes the loss and the gradient NaN. Without samples on a side: 0
/// @cost      (n + m) D^2, n D^2 more with gradient; scratch of twice the larger side and two matrices of D
/// @source    Sun and Saenko 2016, arXiv:1607.01719, equation 1. tllib divides by D^2
/// @example   distil::correlation_alignment.with_grad(features, features_of_target, gradient, {.weight = 0.1})
inline constexpr correlation_alignment_loss correlation_alignment{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
