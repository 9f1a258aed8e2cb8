#pragma once

#include "distil/matrix/add_transpose.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil {

struct similarity_preserving_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `similarity_preserving`.
struct similarity_preserving_loss
    : pair_loss<similarity_preserving_loss, similarity_preserving_options, kernels::as_matrices> {
  static constexpr char const* name = "similarity_preserving";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    similarity_preserving_options const&) {
    detail::require_same_rows(name, teacher, student);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             similarity_preserving_options const&) {
    index const rows = operands.student.rows();
    if (rows == 0) return {};
    struct of_features {};
    struct of_pairs {};
    index const size = operands.student.sample_size();
    T* const features = simd::scratch<T, of_features>(2 * size + operands.teacher.sample_size());
    T* const pairs = simd::scratch<T, of_pairs>(2 * rows * rows + 2 * rows);
    matrix_view<T> const of_student(pairs, rows, rows), of_teacher(pairs + rows * rows, rows, rows);
    T* const length = pairs + 2 * rows * rows;

    auto const x = operands.student.matrix(features);
    auto const y = operands.teacher.matrix(features + 2 * size);
    kernels::gram(policy, x, of_student);
    kernels::gram(policy, y, of_teacher);
    kernels::to_unit_rows<T>(policy, of_student, of_student, length);
    kernels::to_unit_rows<T>(policy, of_teacher, of_teacher, length + rows);

    // The differences R of the unit rows take the teacher's place; G's derivative 2 / B^2 pulled back takes R's.
    double const by_pairs = 1.0 / static_cast<double>(rows * rows);
    T const slope = static_cast<T>(2.0 * by_pairs);
    double const sum = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index row = first; row < last; ++row) {
            T const* const unit = &of_student(row, 0);
            T* const difference = &of_teacher(row, 0);
            total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
              simd::lanes<T> const d = place.load(unit) - place.load(difference);
              place.store(d * simd::lanes<T>(slope), difference);
              return d * d;
            }));
            if (operands.gradient) kernels::pull_back_unit(unit, length[row], rows, difference);
          }
          return total;
        });
    if (operands.gradient) {
      auto const gradient = operands.gradient.matrix(features + size);
      kernels::add_transpose<T>(policy, of_teacher);
      kernels::multiply<T>(policy, of_teacher, x, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {sum * by_pairs, static_cast<double>(rows)};
  }
};

/// Samples alike for the teacher are alike for the student. @alias SP, SPKD
///
/// @formula   L = |N_s - N_t|_F^2 / B^2; N are the rows of G = X X', each divided by its length
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  (dG + dG') X with dG_i = (R_i - N_i (N_i . R_i)) / |G_i|, R = 2 (N_s - N_t) / B^2. A row of zeros stays one
///            and has no gradient
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     `bound` epsilons of 1 / B for the value, of the largest element of the gradient
///            of unlike features for the gradient
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0, and no gradient
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient; 2 B^2 numbers of scratch
/// @source    Tung & Mori 2019, equation 4. torchdistill divides the rows by their sums of magnitudes
/// @example   distil::similarity_preserving.with_grad(student, teacher, gradient)
inline constexpr similarity_preserving_loss similarity_preserving{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
