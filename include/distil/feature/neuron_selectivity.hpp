#pragma once

#include <algorithm>
#include <cmath>

#include "distil/core/map_values.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/products.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil {

/// By what `neuron_selectivity` compares two channels x and y of length one.
enum class selectivity_kernel {
  linear,      ///< x . y: distance of the mean channels
  polynomial,  ///< (x . y)^2
  gaussian,    ///< exp(-|x - y|^2 / (2 variance))
};

struct neuron_selectivity_options {
  /// Default polynomial, as in the paper's experiments; RepDistiller and mdistiller have no other.
  selectivity_kernel kernel = selectivity_kernel::polynomial;

  /// Of the Gaussian kernel; finite and > 0. Default 1. (The paper takes the mean squared distance of all pairs, which
  /// is 2 for channels that have nothing in common and less for those behind a ReLU.)
  double variance = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Of samples: one number or one per sample; finite and >= 0. The loss is their weighted mean. What has weight 0 does
  /// not count and may be NaN. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// A kernel of channels of length one, by their products.
template <class T>
class selectivity {
 public:
  explicit selectivity(neuron_selectivity_options const& options)
      : kernel_(options.kernel), by_variance_(static_cast<T>(1.0 / options.variance)) {}

  /// The sum of the kernel over all products; `scale` times its derivative by them takes their place.
  /// @param lengths  of the rows and columns before they were divided: one of zeros has stayed one
  double replace(matrix_view<T> products, T const* row_lengths, T const* column_lengths, T scale) const {
    double sum = 0.0;
    for (index row = 0; row < products.rows; ++row) {
      T* const x = &products(row, 0);
      T const square = row_lengths[row] == T(0) ? T(0) : T(1);
      sum += static_cast<double>(of_row(x, square, column_lengths, products.columns, lanes<T>(scale)));
    }
    return sum;
  }

 private:
  T of_row(T* products, T square, T const* lengths, index size, lanes<T> scale) const {
    switch (kernel_) {
      case selectivity_kernel::linear:
        return simd::sum_of<T>(size, [&](auto place) {
          lanes<T> const x = place.load(products);
          place.store(scale, products);
          return x;
        });
      case selectivity_kernel::polynomial:
        return simd::sum_of<T>(size, [&](auto place) {
          lanes<T> const x = place.load(products);
          place.store((x + x) * scale, products);
          return x * x;
        });
      case selectivity_kernel::gaussian:
        break;
    }
    lanes<T> const zero(0), one(1), slope(by_variance_), half_slope(by_variance_ / 2);
    return simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const x = place.load(products);
      lanes<T> const other = select(place.load(lengths) == zero, zero, one);
      lanes<T> const nearness = (x + x - lanes<T>(square) - other) * half_slope;
      lanes<T> const e = exp_nonpositive(select(nearness > zero, zero, nearness));
      place.store(e * slope * scale, products);
      return e;
    });
  }

  selectivity_kernel kernel_;
  T by_variance_;
};

}  // namespace kernels

/// See `neuron_selectivity`.
struct neuron_selectivity_loss : pair_loss<neuron_selectivity_loss, neuron_selectivity_options> {
  static constexpr char const* name = "neuron_selectivity";
  static constexpr error_bound bound{.value = 32, .gradient = 32};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    neuron_selectivity_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, false, true, true});
  }
  static void check_numbers(neuron_selectivity_options const& options, detail::computing_type type) {
    detail::require_inverse(name, "variance", options.variance, type);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             neuron_selectivity_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::map_weights const weights(name, options.weights, {student.samples, student.channels, 1, 1});
    detail::sample_values const values(name, options.values, student.samples);
    double const factor = weights.factor(feature_reduction::sample_mean);
    index const of_student = student.channels, of_teacher = teacher.channels;
    index const positions = student.positions(), widest = std::max(of_student, of_teacher);
    double const by_students = 1.0 / static_cast<double>(of_student);
    double const by_teachers = 1.0 / static_cast<double>(of_teacher);
    kernels::selectivity<T> const kernel(options);
    detail::any_policy const alone(serial);
    double const sum = simd::sum_chunks(
        policy, student.samples, 1, student.samples * widest * widest * positions,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, neuron_selectivity_loss>(
              (2 * of_student + of_teacher) * positions + widest * widest + of_student + of_teacher);
          matrix_view<T> const x(memory, of_student, positions);
          matrix_view<T> const y(memory + of_student * positions, of_teacher, positions);
          T* const slopes = y.data + of_teacher * positions;
          T* const products = slopes + of_student * positions;
          T* const x_length = products + widest * widest;
          T* const y_length = x_length + of_student;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            double const weight = weights.of(n, 0);
            auto const written =
                gradient ? gradient.sample(n, kernels::rows_of::channels, slopes) : matrix_view<T>();
            if (weight > 0.0) {
              kernels::to_unit_rows<T>(alone, student.sample(n, kernels::rows_of::channels, x.data), x,
                                       x_length);
              kernels::to_unit_rows<T>(alone, teacher.sample(n, kernels::rows_of::channels, y.data), y,
                                       y_length);
              double const scale = 2.0 * weight * factor * by_students;
              matrix_view<T> const of_teachers(products, of_teacher, of_teacher);
              kernels::gram<T>(alone, y, of_teachers);
              double value =
                  kernel.replace(of_teachers, y_length, y_length, T(0)) * by_teachers * by_teachers;
              matrix_view<T> const of_students(products, of_student, of_student);
              kernels::gram<T>(alone, x, of_students);
              value += kernel.replace(of_students, x_length, x_length, static_cast<T>(scale * by_students)) *
                       by_students * by_students;
              if (gradient) kernels::multiply<T>(alone, of_students, x, written);
              matrix_view<T> const of_both(products, of_student, of_teacher);
              kernels::multiply_by_transpose<T>(alone, x, y, of_both);
              value -= 2.0 * by_students * by_teachers *
                       kernel.replace(of_both, x_length, y_length, static_cast<T>(-scale * by_teachers));
              if (gradient) {
                kernels::multiply<T>(alone, of_both, y, written, kernels::into::add);
                kernels::pull_back_unit_rows<T>(alone, x, x_length, written);
              }
              total += weight * value;
              values.add(n, value);
            } else if (gradient) {
              for (index c = 0; c < of_student; ++c)
                std::fill(&written(c, 0), &written(c, 0) + positions, T(0));
            }
            if (gradient) gradient.finish(n, kernels::rows_of::channels, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }
};

/// The student's channels, as a set of vectors over the positions, are distributed as the teacher's: their squared
/// maximum mean discrepancy. The numbers of channels may differ. @alias NST, neuron selectivity transfer, MMD
///
/// @formula   L = mean_n [mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j)], x and y the channels of student and
///            teacher in sample n, each divided by its length
/// @param     student  feature map, samples x C x height x width in any layout
/// @param     teacher  feature map of the student's samples and positions, of any number of channels C'
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  dL/dx_i = 2 / C^2 sum_j k'(x_i . x_j) x_j - 2 / (C C') sum_j k'(x_i . y_j) y_j with k' = 1, 2 x . y or
///            k / variance, then (g - x (x . g)) / |s|. A channel of zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons: of 1 for the value, whose terms are means of kernels; of
///            1 / (C |s_c|) for the gradient of channel c, 1 / variance as much with a smaller variance
/// @nan       NaN makes the value NaN, and the gradient of its sample. Without samples, or where nothing counts: 0
/// @cost      (C^2 + C'^2) / 2 + C C' products of channels a sample, C^2 + C C' more with gradient; no array of
///            C x C' x positions
/// @source    Huang & Wang 2017, "Like What You Like: Knowledge Distill via Neuron Selectivity Transfer". RepDistiller
///            and mdistiller pool the larger map first; weight 50 in all
/// @example   distil::neuron_selectivity.with_grad(student, teacher, gradient)
inline constexpr neuron_selectivity_loss neuron_selectivity{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
