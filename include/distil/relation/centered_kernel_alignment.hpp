#pragma once

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"

namespace distil {

/// How `centered_kernel_alignment` estimates the Hilbert-Schmidt independence criterion.
enum class independence_estimate {
  biased,    ///< rows and columns of X X' centred: Kornblith's
  debiased,  ///< without the diagonal, so that it does not grow with the features of small batches
};

struct centered_kernel_alignment_options {
  independence_estimate estimate = independence_estimate::biased;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `centered_kernel_alignment`.
struct centered_kernel_alignment_loss
    : pair_loss<centered_kernel_alignment_loss, centered_kernel_alignment_options, kernels::as_matrices> {
  static constexpr char const* name = "centered_kernel_alignment";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    centered_kernel_alignment_options const&) {
    detail::require_same_rows(name, teacher, student);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             centered_kernel_alignment_options const& options) {
    using lanes = simd::lanes<T>;
    index const rows = operands.student.rows();
    if (rows == 0) return {};
    index const size = operands.student.sample_size();
    index const widest = rows * std::max(operands.student.columns(), operands.teacher.columns());
    T* const memory =
        simd::scratch<T, centered_kernel_alignment_loss>(size + widest + 2 * rows * rows + rows);
    // The teacher's rows make room for the gradient.
    T* const place_of_gradient = memory + size;
    matrix_view<T> const x(memory, rows, operands.student.columns());
    matrix_view<T> const own(memory + size + widest, rows, rows), other(own.data + rows * rows, rows, rows);
    T* const means = own.data + 2 * rows * rows;
    double const of_teacher =
        norm_of_centred(policy, operands.teacher, options,
                        {place_of_gradient, rows, operands.teacher.columns()}, other, means);
    double const of_student = norm_of_centred(policy, operands.student, options, x, own, means);

    // |a - b|^2 / 2 of unit vectors is 1 - a . b without its cancellation. What is constant has no direction: a . b = 0.
    bool const constant = of_teacher == 0.0 || of_student == 0.0;
    lanes const by_student(static_cast<T>(constant ? of_student : 1.0 / of_student));
    lanes const by_teacher(static_cast<T>(constant ? of_teacher : 1.0 / of_teacher));
    auto const sum_of_rows = [&](auto const& summand) {
      return simd::sum_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows,
                              [&](index first, index last, index) {
                                double total = 0.0;
                                for (index i = first; i < last; ++i) {
                                  total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
                                    lanes const a = place.load(&own(i, 0)) * by_student;
                                    return summand(place, i, a, a - place.load(&other(i, 0)) * by_teacher);
                                  }));
                                }
                                return total;
                              });
    };
    double const distance = 0.5 * sum_of_rows([](auto, index, lanes, lanes d) { return d * d; });
    bool const undefined = constant && !(of_student != of_student) && !(of_teacher != of_teacher);
    double const value = undefined ? 1.0 : distance;

    if (operands.gradient) {
      auto const gradient = operands.gradient.matrix(place_of_gradient);
      lanes const share(static_cast<T>(-value));
      lanes const scale(static_cast<T>(undefined ? 0.0 : 2.0 / of_student));
      sum_of_rows([&](auto place, index i, lanes a, lanes d) {
        place.store(fma(share, a, d) * scale, &other(i, 0));
        return lanes(0);
      });
      kernels::multiply<T>(policy, other, x, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {value, static_cast<double>(rows)};
  }

 private:
  /// The centred kernel of one side's rows, which are left centred; its Frobenius norm.
  template <class T>
  static double norm_of_centred(detail::any_policy policy, kernels::map_source<T> const& source,
                                centered_kernel_alignment_options const& options, matrix_view<T> centred,
                                matrix_view<T> kernel, T* means) {
    using lanes = simd::lanes<T>;
    index const rows = centred.rows;
    bool const debiased = options.estimate == independence_estimate::debiased;
    kernels::centre_rows<T>(policy, source.matrix(centred.data), centred);
    kernels::gram<T>(policy, centred, kernel);
    // Of up to three samples nothing is left once the diagonal is left out.
    bool const empty = debiased && rows < 4;
    double mean = 0.0;
    if (debiased) {
      double const sum = simd::sum_chunks(
          policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
            double total = 0.0;
            for (index i = first; i < last; ++i) {
              T const sum_of_row =
                  simd::sum_of<T>(rows, [&](auto place) { return place.load(&kernel(i, 0)); });
              means[i] = (sum_of_row - kernel(i, i)) / static_cast<T>(std::max<index>(1, rows - 2));
              total += static_cast<double>(means[i]);
            }
            return total;
          });
      mean = sum / static_cast<double>(std::max<index>(1, rows - 1));
    }
    double const squares = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            T* const row = &kernel(i, 0);
            if (debiased) {
              lanes const of_row(means[i] - static_cast<T>(mean)), wanted(empty ? T(0) : T(1));
              T const self = row[i] * T(0);  // NaN stays
              simd::for_each_register<T>(rows, [&](auto place) {
                place.store((place.load(row) - of_row - place.load(means)) * wanted, row);
              });
              row[i] = self;
            }
            total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
              lanes const k = place.load(row);
              return k * k;
            }));
          }
          return total;
        });
    return std::sqrt(squares);
  }
};

/// The similarities of samples, centred, point where the teacher's do. @alias CKA, RCKA, linear CKA, HSIC
///
/// @formula   L = 1 - sum(K K') / (|K|_F |K'|_F), element by element; K = X X' with centred X, K' the teacher's. Debiased:
///            K_ij - (r_i + r_j) / (B - 2) + s / ((B - 1)(B - 2)) off the diagonal and 0 on it, r and s the sums of X X'
///            by rows and in all, without its diagonal. Within [0, 1]; debiased, within [0, 2]
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  2 (C K / |K| - K' / |K'|) / |K| X, C = 1 - L
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     `bound` epsilons of 1 for the value, of 2 |X|_F / |K|_F for each element of the
///            gradient; debiased, times |X X'|_F / |K|_F of either side, which cancellation costs
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0. Where one side's features are the same for
///            all samples, and debiased of fewer than four samples, 1 and no gradient
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient; 2 B^2 + B (D + max(D, D')) numbers of scratch
/// @source    Kornblith et al. 2019, arXiv:1905.00414, equations 3 and 4; debiased: Song et al. 2012, JMLR 13, equation 5,
///            as centring by Szekely & Rizzo 2014. As a loss: Zhou et al. 2024, arXiv:2401.11824 (RCKA)
/// @example   distil::centered_kernel_alignment.with_grad(student, teacher, gradient)
inline constexpr centered_kernel_alignment_loss centered_kernel_alignment{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
