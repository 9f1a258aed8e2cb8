#pragma once

#include <algorithm>

#include "distil/core/map_weights.hpp"
#include "distil/matrix/layer_pair.hpp"
#include "distil/matrix/products.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct solution_flow_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over samples and pairs of channels (RepDistiller, with a published weight of 50). `sample_mean`
  /// is the sum over pairs of channels, divided by the samples (the paper).
  feature_reduction reduce = feature_reduction::element_mean;

  /// Of samples: one number or one per sample; finite and >= 0. What has weight 0 does not count and may be NaN.
  /// Default 1.
  row_parameter weights = 1;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `solution_flow`.
struct solution_flow_loss : layer_pair_loss<solution_flow_loss, solution_flow_options> {
  static constexpr char const* name = "solution_flow";
  static constexpr error_bound bound{.value = 32, .gradient = 32};

  using shapes = layer_pair<std::array<index, 4>, std::array<index, 4>>;

  static void check(shapes const& students, shapes const& teachers, solution_flow_options const&) {
    detail::require_same_axes(name, "student's second layer", students.second, students.first,
                              {true, false, true, true});
    detail::require_same_axes(name, "teacher", teachers.first, students.first, {true, true, false, false});
    detail::require_same_axes(name, "teacher's second layer", teachers.second, students.second,
                              {true, true, false, false});
    detail::require(
        teachers.first[2] == teachers.second[2] && teachers.first[3] == teachers.second[3], name,
        "teacher's second layer", [&] { return detail::map_text(teachers.second); },
        [&] {
          return detail::said(detail::map_text(teachers.first),
                              " as the teacher's first layer in height, width");
        });
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::layer_operands<T> const& operands,
                             solution_flow_options const& options) {
    auto const& [first, second] = operands;
    index const samples = first.student.samples, rows = first.student.channels;
    index const columns = second.student.channels, pairs = rows * columns;
    index const positions = first.student.positions(), of_teacher = first.teacher.positions();
    index const longest = std::max(positions, of_teacher);
    detail::map_weights const weights(name, options.weights, {samples, pairs, 1, 1});
    double const factor = weights.factor(options.reduce);
    T const by_positions = T(1) / static_cast<T>(positions), by_teacher = T(1) / static_cast<T>(of_teacher);
    detail::any_policy const alone(serial);
    kernels::rows_of const order = kernels::rows_of::channels;
    double const sum = simd::sum_chunks(
        policy, samples, simd::worth_a_chunk((rows + columns) * longest), samples * pairs * longest,
        [&, &one = first, &other = second](index begin, index end, index) {
          T* const memory = simd::scratch<T, solution_flow_loss>(2 * (rows + columns) * longest + 2 * pairs);
          T* const other_memory = memory + rows * longest;
          T* const slopes = other_memory + columns * longest;
          T* const other_slopes = slopes + rows * longest;
          matrix_view<T> const difference(other_slopes + columns * longest, rows, columns);
          matrix_view<T> const teachers(difference.data + pairs, rows, columns);
          double total = 0.0;
          for (index n = begin; n < end; ++n) {
            double const weight = weights.of(n, 0);
            if (weight > 0.0) {
              kernels::multiply_by_transpose<T>(alone, one.teacher.sample(n, order, memory),
                                                other.teacher.sample(n, order, other_memory), teachers);
            }
            auto const a = one.student.sample(n, order, memory);
            auto const b = other.student.sample(n, order, other_memory);
            if (weight > 0.0) {
              kernels::multiply_by_transpose<T>(alone, a, b, difference);
              simd::lanes<T> const slope(static_cast<T>(2.0 * weight * factor) * by_positions);
              simd::lanes<T> const ours(by_positions), theirs(-by_teacher);
              total += weight * static_cast<double>(simd::sum_of<T>(pairs, [&](auto place) {
                         simd::lanes<T> const d =
                             fma(place.load(teachers.data), theirs, place.load(difference.data) * ours);
                         place.store(d * slope, difference.data);
                         return d * d;
                       }));
            }
            if (!one.gradient) continue;
            auto const to = one.gradient.sample(n, order, slopes);
            auto const to_other = other.gradient.sample(n, order, other_slopes);
            if (weight > 0.0) {
              kernels::multiply<T>(alone, difference, b, to);
              kernels::multiply_transpose<T>(alone, difference, a, to_other);
            } else {
              kernels::in_eigen(to).setZero();
              kernels::in_eigen(to_other).setZero();
            }
            one.gradient.finish(n, order, to);
            other.gradient.finish(n, order, to_other);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }
};

/// What happens between two layers of the student happens between two of the teacher: the products of their channels.
/// Both layers of a network have the same positions (pool the larger one first); student and teacher need only agree in
/// channels. @alias FSP, flow of solution procedure
///
/// @formula   L = reduce_n,a,b (G_s - G_t)^2, G_ab = sum_p first_a(p) second_b(p) / positions in each sample
/// @param     students  `layers(first, second)`, feature maps of samples x A and samples x B channels, any layouts
/// @param     teachers  `layers(first, second)` of A and B channels, too
/// @param     gradients `layers(by_first, by_second)`, each of its student layer's shape, overwritten or added; may be
///                      that layer itself, apart from all else
/// @gradient  by first D second / positions, by second D' first / positions, D = 2 w (G_s - G_t) / n; n is what `reduce`
///            divides by
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons: with g a bound of the products |first_a| |second_b| / positions, of
///            g^2 a pair for the value; of the largest w g / n * sum_b |second_b(p)| / positions for the gradient
/// @nan       NaN makes the value NaN, and gradients of its sample. Without samples, or where nothing counts: 0
/// @cost      2 A B products of channels a sample, 2 A B more with gradients
/// @source    Yim et al. 2017, equations 1 and 2, the sum over pairs there (`sample_mean`). RepDistiller and
///            Knowledge-Distillation-Zoo pool by means, torchdistill by maxima; it sums the lengths of the columns of
///            G_s - G_t where the paper has their squares
/// @example   distil::solution_flow.with_grad(layers(s1, s2), layers(t1, t2), layers(gradient1, gradient2))
inline constexpr solution_flow_loss solution_flow{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
