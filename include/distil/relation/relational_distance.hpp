#pragma once

#include "distil/relation/samples/relational_features.hpp"

namespace distil {

struct relational_distance_options {
  /// Features are divided by their lengths first, as in mmrazor. Default false.
  bool unit_features = false;

  /// Squared distances of different samples are at least this, finite and >= 0; below it they have no gradient. Default 0:
  /// samples that coincide have the distance 0, which does not count in the mean. Park's code, RepDistiller, mdistiller
  /// and torchdistill have 1e-12, KD_Lib 1e-10, with which they count.
  double least_squared_distance = 0.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Distances divided by their mean over those that are not zero.
template <class T>
struct mean_distance {
  double mean = 0.0, pairs = 0.0;

  /// Raises the squared distances of different samples to `least` before.
  mean_distance(detail::any_policy policy, matrix_view<T> squared, T least) {
    index const rows = squared.rows;
    double const sum = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            T* const row = &squared(i, 0);
            if (least > T(0)) {
              T const self = row[i];
              lanes<T> const bound(least);
              simd::for_each_register<T>(rows, [&](auto place) {
                lanes<T> const q = place.load(row);
                place.store(select(q < bound, bound, q), row);
              });
              row[i] = self;
            }
            total +=
                static_cast<double>(simd::sum_of<T>(rows, [&](auto place) { return sqrt(place.load(row)); }));
          }
          return total;
        });
    pairs = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
              return select(place.load(&squared(i, 0)) > lanes<T>(0), lanes<T>(1), lanes<T>(0));
            }));
          }
          return total;
        });
    mean = pairs > 0.0 ? sum / pairs : sum;  // 0, or NaN
  }

  /// What distances are multiplied by; 0 where all samples coincide.
  [[nodiscard]] T factor() const { return static_cast<T>(mean == 0.0 ? 0.0 : 1.0 / mean); }
};

}  // namespace kernels

/// See `relational_distance`.
struct relational_distance_loss
    : pair_loss<relational_distance_loss, relational_distance_options, kernels::as_matrices> {
  static constexpr char const* name = "relational_distance";
  static constexpr error_bound bound{.value = 16, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    relational_distance_options const&) {
    detail::require_same_rows(name, teacher, student);
  }
  static void check_numbers(relational_distance_options const& options, detail::computing_type type) {
    detail::require_number(name, "least_squared_distance", options.least_squared_distance, type,
                           detail::is_weight, detail::must_be_weight);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             relational_distance_options const& options) {
    using features = kernels::relational_features<T>;
    using lanes = simd::lanes<T>;
    index const rows = operands.student.rows(), columns = operands.student.columns();
    if (rows == 0) return {};
    index const of_student = features::room(rows, columns);
    index const of_both = of_student + features::room(rows, operands.teacher.columns());
    T* const memory = simd::scratch<T, relational_distance_loss>(of_both + rows * columns);
    features const student(policy, operands.student, options.unit_features, memory);
    features const teacher(policy, operands.teacher, options.unit_features, memory + of_student);
    T const least = static_cast<T>(options.least_squared_distance);
    kernels::mean_distance<T> const mean_of_student(policy, student.squared, least);
    kernels::mean_distance<T> const mean_of_teacher(policy, teacher.squared, least);

    // Of the difference d of two normalised distances, c = d within [-1, 1] is the slope of the smooth L1 distance.
    lanes const by_student(mean_of_student.factor()), by_teacher(mean_of_teacher.factor()), one(1);
    auto const slope_of = [&](lanes d) {
      lanes const c = max(min(d, one), -one);
      return select(d == d, c, d);
    };
    auto const sum_of_rows = [&](auto const& summand) {
      return simd::sum_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows,
                              [&](index first, index last, index) {
                                double total = 0.0;
                                for (index i = first; i < last; ++i) {
                                  total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
                                    lanes const own = sqrt(place.load(&student.squared(i, 0)));
                                    lanes const other = sqrt(place.load(&teacher.squared(i, 0)));
                                    lanes const d = own * by_student - other * by_teacher;
                                    return summand(place, i, own, d, slope_of(d));
                                  }));
                                }
                                return total;
                              });
    };
    double const by_pairs = 1.0 / (static_cast<double>(rows) * static_cast<double>(rows));
    double const value = by_pairs * sum_of_rows([](auto, index, lanes, lanes d, lanes c) {
                           return c * fma(c, lanes(-0.5), d);
                         });

    if (operands.gradient) {
      double const moment = sum_of_rows([](auto, index, lanes own, lanes, lanes c) { return c * own; });
      double const factor = static_cast<double>(mean_of_student.factor());
      double const share = mean_of_student.pairs > 0.0 ? moment * factor / mean_of_student.pairs : 0.0;
      lanes const by_mean(static_cast<T>(share)), slope(static_cast<T>(2.0 * by_pairs * factor)),
          lowest(least);
      sum_of_rows([&](auto place, index i, lanes own, lanes, lanes c) {
        lanes const flat = select(place.load(&student.squared(i, 0)) <= lowest, lanes(0), one);
        // sqrt(0) is replaced before the division; NaN passes.
        lanes const divisor = select(flat == lanes(0), one, own);
        place.store(flat * slope * (c - by_mean) / divisor, &teacher.squared(i, 0));
        return lanes(0);
      });
      auto const gradient = operands.gradient.matrix(memory + of_both);
      student.pull_back(policy, teacher.squared, options.unit_features, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {value, static_cast<double>(rows)};
  }
};

/// Samples are as far from each other for the student as for the teacher, measured by the mean distance of each.
/// @alias RKD, RKD-D, RKD distance
///
/// @formula   L = sum_ij rho(D_ij / mean D - D'_ij / mean D') / B^2, D_ij = |x_i - x_j|, D' the teacher's; means over
///            distances > 0; rho(d) = d^2 / 2 up to |d| = 1, |d| - 1/2 beyond (smooth L1)
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  sum_j w_ij (x_i - x_j), w_ij = 2 (c_ij - sum cD / (n m)) / (B^2 m D_ij), c = rho', m the mean of n distances.
///            Samples that coincide do not move each other
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of 1 for the value, of 2 / (B m) for each element of the gradient
///            (with `unit_features`, over the shortest length). Squared lengths must be in the range of the type
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0, and no gradient. Where all
///            samples coincide for one side, its normalised distances are 0
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient; 2 B^2 + 3 B D + 2 B D' numbers of scratch
/// @source    Park, Kim, Lu, Cho 2019, arXiv:1904.05068, equations 4 to 7. Weights that go with it: 25 with 50 for
///            `relational_angle` (RepDistiller, mdistiller, mmrazor), 1 with 2 (the paper, torchdistill). mmrazor normalises
///            features: `unit_features`
/// @example   distil::relational_distance.with_grad(student, teacher, gradient)
inline constexpr relational_distance_loss relational_distance{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
