#pragma once

#include <cmath>

#include "distil/matrix/add_transpose.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

struct cross_modal_relation_options {
  /// Divides the student's similarities, across modalities and within its own; finite and > 0. Default 0.04, as in CompRess;
  /// SEED has 0.2.
  double temperature = 0.04;

  /// Divides the teacher's similarities; finite and > 0. Default 0.04, as in CompRess; SEED has 0.01
  /// (1e-4 in its code).
  double teacher_temperature = 0.04;

  /// Of the student's samples against the teacher's; finite and >= 0. Default 1.
  double cross_weight = 1.0;

  /// Of the student's samples against each other; finite and >= 0. Default 1; 0: SEED and CompRess.
  double intra_weight = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `cross_modal_relation`.
struct cross_modal_relation_loss
    : pair_loss<cross_modal_relation_loss, cross_modal_relation_options, kernels::as_matrices> {
  static constexpr char const* name = "cross_modal_relation";
  static constexpr error_bound bound{.value = 32, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    cross_modal_relation_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
  }
  static void check_numbers(cross_modal_relation_options const& options, detail::computing_type type) {
    detail::require_inverse(name, "temperature", options.temperature, type);
    detail::require_inverse(name, "teacher_temperature", options.teacher_temperature, type);
    detail::require_factor(name, "cross_weight", options.cross_weight, type);
    detail::require_factor(name, "intra_weight", options.intra_weight, type);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             cross_modal_relation_options const& options) {
    index const rows = operands.student.rows(), columns = operands.student.columns();
    if (rows == 0) return {};
    index const size = rows * columns, pairs = rows * rows;
    T* const memory = simd::scratch<T, cross_modal_relation_loss>(3 * size + 3 * pairs + 2 * rows);
    T* const length = memory + 3 * size + 3 * pairs;
    auto const unit_rows = [&](kernels::map_source<T> const& source, T* to, T* lengths) {
      matrix_view<T> const unit(to, rows, columns);
      kernels::to_unit_rows<T>(policy, source.matrix(to), unit, lengths);
      return matrix_view<T const>(unit);
    };
    auto const u = unit_rows(operands.student, memory, length);
    auto const v = unit_rows(operands.teacher, memory + size, length + rows);
    matrix_view<T> const cross(memory + 3 * size, rows, rows), intra(cross.data + pairs, rows, rows),
        wanted(cross.data + 2 * pairs, rows, rows);
    kernels::gram<T>(policy, v, wanted);
    double value = 0.0;
    if (options.cross_weight > 0.0) {
      kernels::multiply_by_transpose<T>(policy, u, v, cross);
      value += compare<T>(policy, cross, wanted, options.cross_weight, operands, options);
    }
    if (options.intra_weight > 0.0) {
      kernels::gram<T>(policy, u, intra);
      value += compare<T>(policy, intra, wanted, options.intra_weight, operands, options);
    }
    if (operands.gradient) {
      auto const gradient = operands.gradient.matrix(memory + 2 * size);
      for (index i = 0; i < rows; ++i) std::fill(&gradient(i, 0), &gradient(i, 0) + columns, T(0));
      if (options.cross_weight > 0.0) kernels::multiply<T>(policy, cross, v, gradient, kernels::into::add);
      if (options.intra_weight > 0.0) {
        kernels::add_transpose<T>(policy, intra);
        kernels::multiply<T>(policy, intra, u, gradient, kernels::into::add);
      }
      kernels::pull_back_unit_rows<T>(policy, u, length, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {value, static_cast<double>(rows)};
  }

 private:
  /// The weighted mean over rows of the divergence between the teacher's and the student's similarities, whose place its
  /// derivative takes.
  template <class T>
  static double compare(detail::any_policy policy, matrix_view<T> student, matrix_view<T> teacher,
                        double weight, kernels::pair_operands<T> const& operands,
                        cross_modal_relation_options const& options) {
    struct of_row {};
    index const rows = student.rows;
    double const share = weight / static_cast<double>(rows);
    T const by_student = static_cast<T>(1.0 / options.temperature);
    T const by_teacher = static_cast<T>(1.0 / options.teacher_temperature);
    simd::lanes<T> const slope(static_cast<T>(share / options.temperature));
    bool const wanted = static_cast<bool>(operands.gradient);
    return share * simd::sum_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows,
                                    [&](index first, index last, index) {
                                      T* const difference = simd::scratch<T, of_row>(2 * rows);
                                      double total = 0.0;
                                      for (index i = first; i < last; ++i) {
                                        T* const row = &student(i, 0);
                                        total += static_cast<double>(simd::compare_soft_rows(
                                            soft_divergence::kl, row, by_student, &teacher(i, 0), by_teacher,
                                            rows, difference, difference + rows));
                                        if (!wanted) continue;
                                        simd::for_each_register<T>(rows, [&](auto place) {
                                          place.store(place.load(difference) * slope, row);
                                        });
                                      }
                                      return total;
                                    });
  }
};

/// Of paired samples in two modalities: the teacher's are anchors, and the student's sample is as near to each as its
/// teacher's counterpart is; the student's samples are as near to each other, too. @alias cross-modal relation KD, SEED,
/// CompRess, affinity of the batch
///
/// @formula   L = 1 / B sum_i (c KL(p_i || q_i) + w KL(p_i || r_i)) [nats]; u, v unit rows of student and teacher,
///            p_i = softmax_j(v_i . v_j / teacher_temperature), q_i = softmax_j(u_i . v_j / temperature),
///            r_i = softmax_j(u_i . u_j / temperature); c and w the cross and intra weights. j = i is among them
/// @param     student  [B, D] features of the student's modality, projected to the teacher's width
/// @param     teacher  [B, D] features of the paired samples in the teacher's modality
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  with C = c (q - p) / (B temperature) and R = w (r - p) / (B temperature): C V + (R + R') U, pulled back through
///            u = x / |x|. A row of zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     with t the lesser temperature, at most 1, and c + w the sum of weights: `bound`
///            epsilons of (c + w) / t for the value, of (c + 2 w) / (B t^2) over the shortest length for each element of the
///            gradient
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0, and no gradient
/// @cost      2 B^2 D multiplications, 2 B^2 D more with gradient; 4 B^2 exponentials; 3 B^2 + 3 B D numbers of scratch
/// @source    the cross term: Fang et al. 2021, arXiv:2101.04731 (SEED), equations 3 to 5, and Abbasi Koohpayegani et al.
///            2020, arXiv:2010.14713 (CompRess-1q), with the batch in the place of the queue; SEED has the cross entropy, larger
///            by the teacher's entropy. The intra term: CompRess-2q, where the student's own anchors are in use. CLIP-KD's
///            cross-modal form, Yang et al. 2024, arXiv:2307.12732, is this with text as the teacher
/// @example   distil::cross_modal_relation.with_grad(image_features, text_features, gradient)
inline constexpr cross_modal_relation_loss cross_modal_relation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
