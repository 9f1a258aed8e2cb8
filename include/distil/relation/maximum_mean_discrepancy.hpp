#pragma once

#include <cmath>
#include <optional>

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"
#include "distil/simd/exponential.hpp"

namespace distil {

/// How `maximum_mean_discrepancy` estimates the means of the kernels.
enum class discrepancy_estimate {
  biased,  ///< over all pairs, a sample with itself too: never negative, but for rounding
  unbiased  ///< without these: its expectation is 0 where the distributions are the same, so it may be negative
};

struct maximum_mean_discrepancy_options {
  /// Default biased, as in the public code that sums the four quarters of one kernel matrix.
  discrepancy_estimate estimate = discrepancy_estimate::biased;

  /// The middle one of the kernels is exp(-|x - y|^2 / bandwidth); finite and > 0. Default: the mean of |x - y|^2 over all
  /// pairs of different samples of both sides, a constant to the gradient.
  std::optional<double> bandwidth = std::nullopt;

  /// How many kernels are summed; within [1, 32]. Default 5, as in the public code of DAN.
  int kernels = 5;

  /// From the bandwidth of one kernel to the next; finite and > 1. Default 2.
  double ratio = 2.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `maximum_mean_discrepancy`.
struct maximum_mean_discrepancy_loss
    : pair_loss<maximum_mean_discrepancy_loss, maximum_mean_discrepancy_options, kernels::as_matrices> {
  static constexpr char const* name = "maximum_mean_discrepancy";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    maximum_mean_discrepancy_options const& options) {
    detail::require(
        teacher[3] == student[3], name, "teacher", [&] { return detail::said(teacher[3], " features"); },
        [&] { return detail::said("of ", student[3], " features, as the student's"); });
    detail::require(options.kernels >= 1 && options.kernels <= 32, name, "kernels", options.kernels,
                    "within [1, 32]");
    detail::require(std::isfinite(options.ratio) && options.ratio > 1.0, name, "ratio", options.ratio,
                    "finite and > 1");
  }
  static void check_numbers(maximum_mean_discrepancy_options const& options, detail::computing_type type) {
    if (options.bandwidth) detail::require_inverse(name, "bandwidth", *options.bandwidth, type);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             maximum_mean_discrepancy_options const& options) {
    using lanes = simd::lanes<T>;
    index const own = operands.student.rows(), others = operands.teacher.rows(), rows = own + others;
    index const columns = operands.student.columns();
    if (own == 0 || others == 0) return {};
    T* const memory =
        simd::scratch<T, maximum_mean_discrepancy_loss>(2 * rows * columns + 2 * rows * rows + rows);
    matrix_view<T> const all(memory, rows, columns), gradient(memory + rows * columns, rows, columns);
    matrix_view<T> const squared(memory + 2 * rows * columns, rows, rows);
    matrix_view<T> const weights(squared.data + rows * rows, rows, rows);
    T* const squares = weights.data + rows * rows;
    stack(operands.student, kernels::some_rows(all, 0, own), gradient.data);
    stack(operands.teacher, kernels::some_rows(all, own, rows), gradient.data);
    kernels::centre_rows<T>(policy, all, all);
    kernels::squared_distances<T>(policy, all, squared, squares);

    double const middle = options.bandwidth ? *options.bandwidth : mean_of<T>(policy, squared);
    double const least = middle * std::pow(options.ratio, -(options.kernels / 2));
    shares const share(options.estimate, static_cast<double>(own), static_cast<double>(others));
    bool const wants = static_cast<bool>(operands.gradient);
    double const value = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            double const to_own = i < own ? share.own : share.across,
                         to_other = i < own ? share.across : share.other;
            double const of_columns[] = {to_own, to_other};
            index const begin[] = {0, own, rows};
            for (int side = 0; side < 2; ++side) {
              T const* const distance = &squared(i, begin[side]);
              T* const slope = &weights(i, begin[side]);
              lanes const by(static_cast<T>(4.0 * of_columns[side]));
              double const sum =
                  static_cast<double>(simd::sum_of<T>(begin[side + 1] - begin[side], [&](auto place) {
                    lanes const q = place.load(distance);
                    lanes kernel(0), derivative(0);
                    double bandwidth = least;
                    for (int k = 0; k < options.kernels; ++k, bandwidth *= options.ratio) {
                      // All samples at one place have kernel 1 and no slope.
                      lanes const inverse(static_cast<T>(bandwidth > 0.0 ? 1.0 / bandwidth : bandwidth));
                      lanes const e = exp_nonpositive(-q * inverse);
                      kernel += e;
                      derivative -= inverse * e;
                    }
                    if (wants) place.store(by * derivative, slope);
                    return kernel;
                  }));
              bool const is_same_side = (side == 0) == (i < own);
              double const self =
                  is_same_side && share.without_self ? kernel_of_self(squared(i, i), options) : 0.0;
              total += of_columns[side] * (sum - self);
            }
          }
          return total;
        });
    if (wants) {
      kernels::pull_back_distances<T>(policy, all, squared, squares, weights, gradient);
      auto const written = operands.gradient.matrix(gradient.data);
      for (index r = 0; r < own; ++r) std::copy_n(&gradient(r, 0), columns, &written(r, 0));
      operands.gradient.finish_matrix(written);
    }
    return {value, static_cast<double>(own)};
  }

 private:
  /// What the pairs within each side and across are multiplied by.
  struct shares {
    double own, other, across;
    bool without_self;

    shares(discrepancy_estimate estimate, double n, double m)
        : across(-1.0 / (n * m)), without_self(estimate == discrepancy_estimate::unbiased) {
      auto const within = [&](double size) {
        return without_self ? (size < 2.0 ? 0.0 : 1.0 / (size * (size - 1.0))) : 1.0 / (size * size);
      };
      own = within(n);
      other = within(m);
    }
  };

  /// One for each kernel; NaN stays.
  template <class T>
  static double kernel_of_self(T squared, maximum_mean_discrepancy_options const& options) {
    return options.kernels * (1.0 + static_cast<double>(squared));
  }

  template <class T>
  static void stack(kernels::map_source<T> const& from, matrix_view<T> to, T* scratch) {
    auto const rows = from.matrix(scratch);
    for (index r = 0; r < rows.rows; ++r) std::copy_n(&rows(r, 0), rows.columns, &to(r, 0));
  }

  template <class T>
  static double mean_of(detail::any_policy policy, matrix_view<T const> squared) {
    index const rows = squared.rows;
    double const sum = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            total += static_cast<double>(
                simd::sum_of<T>(rows, [&](auto place) { return place.load(&squared(i, 0)); }));
          }
          return total;
        });
    return sum / (static_cast<double>(rows) * static_cast<double>(rows - 1));
  }
};

/// How far two sets of features are apart as distributions, by the means of Gaussian kernels: brings the student's features of
/// one domain, modality or machine to those of another, beside the loss of distillation. Samples are no pairs, and may differ
/// in number. @alias MMD, MK-MMD, DAN, domain adaptation
///
/// @formula   L = mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j), k(x, y) = sum_u exp(-|x - y|^2 / b_u), b_u the
///            bandwidth times powers of `ratio`
/// @param     student  [n, D] features, a sample a row
/// @param     teacher  [m, D] features of the other side; where it learns too, call once more with both exchanged
/// @param     gradient [n, D] dL/dx, overwritten or added; may be the student itself, never the teacher
/// @gradient  sum_j w_ij (x_i - x_j) over both sides, w_ij = -4 c_ij sum_u exp(-q_ij / b_u) / b_u, c the shares of the means
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of 4 for each kernel for the value, and of the largest sum_j |w_ij| |x_i - x_j| for the
///            gradient, both over the smallest b_u / (largest |x|^2 of the centred samples) where that is below 1
/// @nan       a NaN makes the loss and the gradient NaN. Without samples on a side: 0
/// @cost      (n + m)^2 (D + kernels) operations, (n + m)^2 D more with gradient; scratch of twice the features and two
///            matrices of n + m
/// @source    Gretton et al. 2012, section 2; Long et al. 2015, arXiv:1502.02791 (DAN), whose public code takes five kernels with
///            ratio 2 around the mean distance. tllib's sum over successive pairs has a constant 2 / (B - 1) more
/// @example   distil::maximum_mean_discrepancy.with_grad(features, features_of_target, gradient, {.weight = 0.1})
inline constexpr maximum_mean_discrepancy_loss maximum_mean_discrepancy{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
