#pragma once

#include "distil/matrix/add_transpose.hpp"
#include "distil/relation/samples/angle_kernel.hpp"

namespace distil {

struct relational_angle_options {
  /// Features are divided by their lengths first, as in mmrazor. Default false.
  bool unit_features = false;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `relational_angle`.
struct relational_angle_loss
    : pair_loss<relational_angle_loss, relational_angle_options, kernels::as_matrices> {
  static constexpr char const* name = "relational_angle";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    relational_angle_options const&) {
    detail::require_same_rows(name, teacher, student);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             relational_angle_options const& options) {
    using features = kernels::relational_features<T>;
    index const rows = operands.student.rows(), columns = operands.student.columns();
    if (rows == 0) return {};
    index const of_student = features::room(rows, columns);
    index const of_both = of_student + features::room(rows, operands.teacher.columns());
    index const pairs = rows * rows;
    T* const memory = simd::scratch<T, relational_angle_loss>(of_both + (operands.gradient ? 3 : 2) * pairs +
                                                              rows * columns);
    features const student(policy, operands.student, options.unit_features, memory);
    features const teacher(policy, operands.teacher, options.unit_features, memory + of_student);
    matrix_view<T> const own(memory + of_both, rows, rows), other(memory + of_both + pairs, rows, rows);
    kernels::invert_distances<T>(policy, student.squared, own);
    kernels::invert_distances<T>(policy, teacher.squared, other);

    double const triples = static_cast<double>(rows) * static_cast<double>(rows) * static_cast<double>(rows);
    kernels::angle_kernel<T> const angles({student.squared, own}, {teacher.squared, other});
    if (!operands.gradient) return {angles.sum(policy, T(0), {}) / triples, static_cast<double>(rows)};

    matrix_view<T> const slopes(memory + of_both + 2 * pairs, rows, rows);
    double const sum = angles.sum(policy, static_cast<T>(2.0 / triples), slopes);
    kernels::add_transpose<T>(policy, slopes);
    auto const gradient = operands.gradient.matrix(memory + of_both + 3 * pairs);
    student.pull_back(policy, slopes, options.unit_features, gradient);
    operands.gradient.finish_matrix(gradient);
    return {sum / triples, static_cast<double>(rows)};
  }
};

/// Three samples form the same angles for the student as for the teacher. @alias RKD-A, RKD angle
///
/// @formula   L = sum_ijk rho(cos_ijk - cos'_ijk) / B^3, cos_ijk = e_ij . e_ik, e_ij = (x_j - x_i) / |x_j - x_i| at the
///            anchor i, cos' the teacher's; rho(d) = d^2 / 2 up to |d| = 1, |d| - 1/2 beyond (smooth L1). e is 0 where
///            samples coincide
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  by the squared distances q: cos_ijk = (q_ij + q_ik - q_jk) / (2 D_ij D_ik), with c = rho' / B^3:
///            dL/dq_ij = sum_k c_ijk (1 / (D_ij D_ik) - cos_ijk / q_ij) - sum_a c_aij / (2 D_ai D_aj); then
///            dL/dx_i = 2 sum_j (dL/dq_ij + dL/dq_ji) (x_i - x_j). Samples that coincide do not move each other
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     `bound` epsilons of the largest ratio of two distances from one sample for the value;
///            of that ratio's square over B times the shortest distance for each element of the gradient (with
///            `unit_features`, and over the shortest length). Squared lengths must be in the range of the type
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one or two rows 0, and no gradient
/// @cost      about 20 operations in SIMD for each of B^3 triples, 12 without gradient; B^2 (D + D') / 2 multiplications,
///            B^2 D more with gradient; 5 B^2 + 3 B D + 2 B D' numbers of scratch
/// @source    Park, Kim, Lu, Cho 2019, arXiv:1904.05068, equations 8 to 11; its weights: see `relational_distance`. Public
///            code makes B x B x D differences; mmrazor normalises features: `unit_features`
/// @example   distil::relational_angle.with_grad(student, teacher, gradient)
inline constexpr relational_angle_loss relational_angle{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
