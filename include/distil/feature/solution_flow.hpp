#pragma once

#include <algorithm>
#include <optional>

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/feature/maps/position_mean.hpp"
#include "distil/matrix/layer_pair.hpp"
#include "distil/matrix/products.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct solution_flow_options {
  /// Of the student's positions, whose mean the products are: a token mask, of both layers and in every channel. One
  /// number, or one per position in the order n, y, x; finite and >= 0. What has weight 0 does not count and may be NaN;
  /// nor does a sample count that has nothing else. Default 1.
  row_parameter position_weights = 1;

  /// The same of the teacher. Default: as the student's, of which it then has the positions.
  std::optional<row_parameter> teacher_position_weights = std::nullopt;

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

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `solution_flow`.
struct solution_flow_loss : layer_pair_loss<solution_flow_loss, solution_flow_options> {
  static constexpr char const* name = "solution_flow";
  static constexpr error_bound bound{.value = 32, .gradient = 32};

  using shapes = layer_pair<std::array<index, 4>, std::array<index, 4>>;

  static void check(shapes const& students, shapes const& teachers, solution_flow_options const& options) {
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
    bool const apart = !options.position_weights.per_row() || options.teacher_position_weights.has_value();
    detail::require_same_axes(name, "teacher without teacher_position_weights", teachers.first,
                              students.first, {true, true, !apart, !apart});
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::layer_operands<T> const& operands,
                             solution_flow_options const& options) {
    auto const& [first, second] = operands;
    index const samples = first.student.samples, rows = first.student.channels;
    index const columns = second.student.channels, pairs = rows * columns;
    index const positions = first.student.positions(), of_teacher = first.teacher.positions();
    index const longest = std::max(positions, of_teacher);
    detail::sample_weights const weights(name, options.weights, samples);
    kernels::position_mean const ours(name, "position_weights", options.position_weights, samples, positions);
    kernels::position_mean const theirs(name, "teacher_position_weights",
                                        options.teacher_position_weights.value_or(options.position_weights),
                                        samples, of_teacher);
    detail::sample_values const values(name, options.values, samples);
    auto const weight_of = [&](index n) {
      return weights[n] > 0.0 && ours.total(n) > 0.0 && theirs.total(n) > 0.0 ? weights[n] : 0.0;
    };
    double weight_of_all = 0.0;
    for (index n = 0; n < samples; ++n) weight_of_all += weight_of(n);
    double const size = options.reduce == feature_reduction::element_mean ? static_cast<double>(pairs) : 1.0;
    double const factor = options.reduce == feature_reduction::sum ? 1.0
                          : weight_of_all > 0.0                    ? 1.0 / (weight_of_all * size)
                                                                   : 0.0;
    detail::any_policy const alone(serial);
    kernels::rows_of const order = kernels::rows_of::channels;
    double const sum = simd::sum_chunks(
        policy, samples, simd::worth_a_chunk((rows + columns) * longest), samples * pairs * longest,
        [&, &one = first, &other = second](index begin, index end, index) {
          T* const memory =
              simd::scratch<T, solution_flow_loss>((2 * (rows + columns) + 1) * longest + 2 * pairs);
          T* const other_memory = memory + rows * longest;
          T* const slopes = other_memory + columns * longest;
          T* const other_slopes = slopes + rows * longest;
          T* const of_positions = other_slopes + columns * longest;
          matrix_view<T> const difference(of_positions + longest, rows, columns);
          matrix_view<T> const teachers(difference.data + pairs, rows, columns);
          using enum kernels::weighed_by;
          // The weights are in one factor, and what does not count, which may be NaN, in none.
          auto const factors = [&](kernels::map_source<T> const& x, kernels::map_source<T> const& y, index n,
                                   T const* by) {
            auto const a = x.sample(n, order, memory), b = y.sample(n, order, other_memory);
            return std::pair(
                kernels::weigh_positions(a, by, weight, {memory, rows, a.columns}),
                kernels::weigh_positions(b, by, whether_it_counts, {other_memory, columns, b.columns}));
          };
          double total = 0.0;
          for (index n = begin; n < end; ++n) {
            double const weight_of_sample = weight_of(n);
            auto const to = one.gradient ? one.gradient.sample(n, order, slopes) : matrix_view<T>();
            auto const to_other =
                one.gradient ? other.gradient.sample(n, order, other_slopes) : matrix_view<T>();
            if (weight_of_sample > 0.0) {
              auto const [x, y] = factors(one.teacher, other.teacher, n, theirs.of(n, of_positions));
              kernels::multiply_by_transpose<T>(alone, x, y, teachers);
              T const* const by = ours.of(n, of_positions);
              auto const [a, b] = factors(one.student, other.student, n, by);
              kernels::multiply_by_transpose<T>(alone, a, b, difference);
              T const by_ours = T(1) / static_cast<T>(ours.total(n));
              simd::lanes<T> const slope(static_cast<T>(2.0 * weight_of_sample * factor) * by_ours);
              simd::lanes<T> const of_ours(by_ours), of_theirs(-(T(1) / static_cast<T>(theirs.total(n))));
              auto const squares = static_cast<double>(simd::sum_of<T>(pairs, [&](auto place) {
                simd::lanes<T> const d =
                    fma(place.load(teachers.data), of_theirs, place.load(difference.data) * of_ours);
                place.store(d * slope, difference.data);
                return d * d;
              }));
              total += weight_of_sample * squares;
              values.add(n, squares / size);
              if (one.gradient) {
                kernels::multiply<T>(alone, difference, b, to);
                kernels::multiply_transpose<T>(alone, difference, a, to_other);
                (void)kernels::weigh_positions<T>(to, by, weight, to);
                (void)kernels::weigh_positions<T>(to_other, by, whether_it_counts, to_other);
              }
            } else if (one.gradient) {
              kernels::in_eigen(to).setZero();
              kernels::in_eigen(to_other).setZero();
            }
            if (!one.gradient) continue;
            one.gradient.finish(n, order, to);
            other.gradient.finish(n, order, to_other);
          }
          return total;
        });
    return {sum * factor, weight_of_all};
  }
};

/// What happens between two layers of the student happens between two of the teacher: the products of their channels.
/// Both layers of a network have the same positions (pool the larger one first); student and teacher need only agree in
/// channels. @alias FSP, flow of solution procedure
///
/// @formula   L = reduce_n,a,b (G_s - G_t)^2, G_ab = sum_p w_p first_a(p) second_b(p) / sum_p w_p in each sample, w the
///            weights of positions: without any, the sum is divided by the positions
/// @param     students  `layers(first, second)`, feature maps of samples x A and samples x B channels, any layouts
/// @param     teachers  `layers(first, second)` of A and B channels, too
/// @param     gradients `layers(by_first, by_second)`, each of its student layer's shape, overwritten or added; may be
///                      that layer itself, apart from all else
/// @gradient  by first D second w_p / sum w, by second D' first w_p / sum w, D = 2 w_n (G_s - G_t) / n; n is what `reduce`
///            divides by
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons: with g a bound of the products |first_a| |second_b| / positions, of
///            g^2 a pair for the value; of the largest w g / n * sum_b |second_b(p)| / positions for the gradient
/// @nan       NaN makes the value NaN, and gradients of its sample's positions that count. Without samples, or where
///            nothing counts: 0
/// @cost      2 A B products of channels a sample, 2 A B more with gradients; weights of positions are a pass over each map
/// @source    Yim et al. 2017, equations 1 and 2, the sum over pairs there (`sample_mean`). RepDistiller and
///            Knowledge-Distillation-Zoo pool by means, torchdistill by maxima; it sums the lengths of the columns of
///            G_s - G_t where the paper has their squares. TextBrewer's fsp_loss masks tokens, but divides by them all
/// @example   distil::solution_flow.with_grad(layers(s1, s2), layers(t1, t2), layers(gradient1, gradient2))
inline constexpr solution_flow_loss solution_flow{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
