#pragma once

#include <algorithm>
#include <array>

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/products.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil {

/// What `correlation_congruence` takes for the correlation of two samples.
enum class correlation_kernel_form {
  gaussian,    ///< exp(-gamma |x - y|^2) of unit rows, by Taylor's series in x . y
  bilinear,    ///< x . y
  successive,  ///< of each sample and the next, of what student and teacher differ by: the authors' code
};

/// What `correlation_congruence` takes of the differences of all correlations.
enum class correlation_distance {
  mean_squared,  ///< their squares, over B^2
  frobenius,     ///< the root of the sum of their squares, over B^2: torchdistill
};

struct correlation_congruence_options {
  correlation_kernel_form kernel = correlation_kernel_form::gaussian;

  /// Of the Gaussian kernel, finite and > 0; exp(-2 gamma) must not vanish: up to 43 in float. Default 0.4, as in the
  /// paper.
  double gamma = 0.4;

  /// Highest power in Taylor's series, within [1, 8]. Default 2, as in the paper.
  int order = 2;

  /// Features are divided by their lengths first, which Taylor's series assumes: KD-Zoo. torchdistill takes them as they
  /// are. Not for successive samples. Default false.
  bool unit_features = false;

  /// Not for successive samples. Default: the mean of squares, as in the paper and KD-Zoo.
  correlation_distance distance = correlation_distance::mean_squared;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// A polynomial in x . y: the kernels of correlation congruence.
template <class T>
class correlation_series {
 public:
  explicit correlation_series(correlation_congruence_options const& options) {
    if (options.kernel == correlation_kernel_form::bilinear) {
      powers_[1] = T(1);
      order_ = 1;
      return;
    }
    double power = std::exp(-2.0 * options.gamma);
    order_ = options.order;
    for (int p = 0; p <= order_; ++p) {
      powers_[static_cast<std::size_t>(p)] = static_cast<T>(power);
      power *= 2.0 * options.gamma / (p + 1);
    }
  }

  /// Without its constant, which cancels in differences.
  [[nodiscard]] DISTIL_INLINE simd::lanes<T> value(simd::lanes<T> dot) const {
    simd::lanes<T> sum(0);
    for (int p = order_; p > 0; --p)
      sum = fma(sum, dot, simd::lanes<T>(powers_[static_cast<std::size_t>(p)]));
    return sum * dot;
  }
  [[nodiscard]] DISTIL_INLINE simd::lanes<T> derivative(simd::lanes<T> dot) const {
    simd::lanes<T> sum(0);
    for (int p = order_; p > 0; --p) {
      sum = fma(sum, dot, simd::lanes<T>(static_cast<T>(p) * powers_[static_cast<std::size_t>(p)]));
    }
    return sum;
  }

 private:
  std::array<T, 9> powers_ = {};
  int order_ = 0;
};

}  // namespace kernels

/// See `correlation_congruence`.
struct correlation_congruence_loss
    : pair_loss<correlation_congruence_loss, correlation_congruence_options, kernels::as_matrices> {
  static constexpr char const* name = "correlation_congruence";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    correlation_congruence_options const& options) {
    if (options.kernel == correlation_kernel_form::successive) {
      detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    }
    detail::require_same_rows(name, teacher, student);
    detail::require(options.order >= 1 && options.order <= 8, name, "order", options.order, "within [1, 8]");
  }
  static void check_numbers(correlation_congruence_options const& options, detail::computing_type type) {
    detail::require_number(name, "gamma", options.gamma, type, detail::is_positive, detail::must_be_positive);
    detail::require_made(name, "gamma", options.gamma, type, "exp(-2 gamma)", std::exp(-2.0 * options.gamma),
                         detail::must_be_positive);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             correlation_congruence_options const& options) {
    index const rows = operands.student.rows();
    if (rows == 0) return {};
    double const value = options.kernel == correlation_kernel_form::successive
                             ? of_neighbours(policy, operands)
                             : of_all_pairs(policy, operands, options);
    return {value, static_cast<double>(rows)};
  }

 private:
  template <class T>
  static double of_all_pairs(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             correlation_congruence_options const& options) {
    using lanes = simd::lanes<T>;
    struct of_pairs {};
    index const rows = operands.student.rows();
    index const size = operands.student.sample_size();
    index const widest = rows * std::max(operands.student.columns(), operands.teacher.columns());
    T* const memory = simd::scratch<T, of_pairs>(size + widest + 2 * rows * rows + rows);
    // The teacher's rows make room for the gradient.
    T* const place_of_gradient = memory + size;
    matrix_view<T> const own(memory + size + widest, rows, rows), other(own.data + rows * rows, rows, rows);
    T* const length = own.data + 2 * rows * rows;
    auto const rows_of = [&](kernels::map_source<T> const& source, T* to) {
      auto const x = source.matrix(to);
      if (!options.unit_features) return x;
      matrix_view<T> const unit(to, rows, source.columns());
      kernels::to_unit_rows<T>(policy, x, unit, length);
      return matrix_view<T const>(unit);
    };
    kernels::gram<T>(policy, rows_of(operands.teacher, place_of_gradient), other);
    auto const x = rows_of(operands.student, memory);
    kernels::gram<T>(policy, x, own);

    kernels::correlation_series<T> const kernel(options);
    auto const sum_of_rows = [&](auto const& summand) {
      return simd::sum_chunks(
          policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last, index) {
            double total = 0.0;
            for (index i = first; i < last; ++i) {
              total += static_cast<double>(simd::sum_of<T>(rows, [&](auto place) {
                lanes const dot = place.load(&own(i, 0));
                lanes const d = kernel.value(dot) - kernel.value(place.load(&other(i, 0)));
                return summand(place, i, dot, d);
              }));
            }
            return total;
          });
    };
    double const by_pairs = 1.0 / (static_cast<double>(rows) * static_cast<double>(rows));
    double const sum = sum_of_rows([](auto, index, lanes, lanes d) { return d * d; });
    bool const root = options.distance == correlation_distance::frobenius;
    if (operands.gradient) {
      // Both of a symmetric pair move a row, which doubles; the root of 0 has no slope.
      double const factor = 2.0 * by_pairs *
                            (!root                     ? 2.0
                             : sum > 0.0 || sum != sum ? 1.0 / std::sqrt(sum)
                                                       : 0.0);
      lanes const scale(static_cast<T>(factor));
      sum_of_rows([&](auto place, index i, lanes dot, lanes d) {
        place.store(d * kernel.derivative(dot) * scale, &other(i, 0));
        return lanes(0);
      });
      auto const gradient = operands.gradient.matrix(place_of_gradient);
      kernels::multiply<T>(policy, other, x, gradient);
      if (options.unit_features) kernels::pull_back_unit_rows<T>(policy, x, length, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return by_pairs * (root ? std::sqrt(sum) : sum);
  }

  template <class T>
  static double of_neighbours(detail::any_policy policy, kernels::pair_operands<T> const& operands) {
    using lanes = simd::lanes<T>;
    struct of_differences {};
    index const rows = operands.student.rows(), columns = operands.student.columns(), size = rows * columns;
    T* const memory = simd::scratch<T, of_differences>(3 * size);
    auto const x = operands.student.matrix(memory);
    auto const y = operands.teacher.matrix(memory + size);
    auto const gradient = operands.gradient ? operands.gradient.matrix(memory + 2 * size) : matrix_view<T>();
    double const by_pairs = rows > 1 ? 1.0 / static_cast<double>(rows - 1) : 0.0;
    lanes const scale(static_cast<T>(by_pairs)), none(0);
    double const sum = simd::sum_chunks(
        policy, rows, simd::worth_a_chunk(columns), size, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            auto const difference = [&](auto place, index row) {
              return place.load(&x(row, 0)) - place.load(&y(row, 0));
            };
            total += static_cast<double>(simd::sum_of<T>(columns, [&](auto place) {
              lanes const d = difference(place, i);
              lanes const next = i + 1 < rows ? abs(difference(place, i + 1)) : d * none;
              if (operands.gradient) {
                lanes const before = i > 0 ? abs(difference(place, i - 1)) : none;
                lanes const slope = (before + next) * scale;
                place.store(select(d < none, -slope, select(d == none, none, slope)), &gradient(i, 0));
              }
              return abs(d) * next;
            }));
          }
          return total;
        });
    if (operands.gradient) operands.gradient.finish_matrix(gradient);
    return sum * by_pairs;
  }
};

/// Samples that correlate for the teacher correlate for the student. @alias CC, CCKD
///
/// @formula   L = sum_ij (k(x_i . x_j) - k(y_i . y_j))^2 / B^2; k(s) = exp(-2 gamma) sum_p (2 gamma s)^p / p! for the Gaussian
///            kernel, p up to `order`; s for the bilinear one. Of successive samples:
///            sum_i |x_i - y_i| . |x_(i+1) - y_(i+1)| / (B - 1), magnitudes element by element
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width; of successive samples, D' = D
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  2 R X, R_ij = 2 (k_ij - k'_ij) / B^2 k'(x_i . x_j), or over the norm with `frobenius`; of successive samples
///            sign(x_i - y_i) (|x_(i-1) - y_(i-1)| + |x_(i+1) - y_(i+1)|) / (B - 1)
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of sum_ij (|k_ij| + |k'_ij|)^2 / B^2 for the value, of the
///            gradient with magnitudes in the place of differences for the gradient
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row and successive samples 0
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient; 2 B^2 + B (D + max(D, D')) numbers of scratch.
///            Of successive samples one sweep; 3 B D numbers of scratch
/// @source    Peng et al. 2019, arXiv:1904.01802, equations 6 to 9. The authors' own code, in RepDistiller, is the form of
///            successive samples, with the weight 0.02. torchdistill: `distance = frobenius`; KD-Zoo: `unit_features`
/// @example   distil::correlation_congruence.with_grad(student, teacher, gradient)
inline constexpr correlation_congruence_loss correlation_congruence{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
