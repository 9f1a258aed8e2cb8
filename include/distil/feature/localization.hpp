#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "distil/core/map_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

/// What the weighted sum over the edges of boxes in `localization` is divided by.
enum class localization_reduction {
  edge_mean,  ///< the edges that count: a mean of divergences
  bin_mean,   ///< the edges that count times the bins, as in mmdetection
  sum,        ///< 1
};

struct localization_options {
  /// Softens teacher and student; within [1e-15, 1e15]. Default 10, as in the authors' code.
  double temperature = 10.0;

  /// The loss times T^2. Default true, as in the authors' code.
  bool scale_by_temperature_squared = true;

  /// Edges of a box, each with as many bins; >= 1. Default 4: left, top, right, bottom. 1 where a row is an edge.
  index edges = 4;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over edges. Published weights (0.25 and the like at T = 10) assume `bin_mean`: a loss smaller by
  /// the number of bins, 17 in most detectors.
  localization_reduction reduce = localization_reduction::edge_mean;

  /// Of boxes or of edges: one number, one per box in the order n, y, x, or one per edge in the order n, y, x, edge;
  /// finite and >= 0. What has weight 0 does not count and may be NaN. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `localization`.
struct localization_loss : pair_loss<localization_loss, localization_options> {
  static constexpr char const* name = "localization";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 1};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    localization_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
    detail::require(
        options.edges >= 1 && student[1] % options.edges == 0, name, "edges",
        [&] { return std::to_string(options.edges); },
        [&] { return ">= 1 and divide the channels, " + std::to_string(student[1]); });
    detail::require(
        options.temperature_gradient.size() <= 1, name, "temperature_gradient",
        [&] { return "of size " + std::to_string(options.temperature_gradient.size()); }, "of size 0 or 1");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             localization_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    index const edges = options.edges, bins = student.channels / edges, positions = student.positions();
    // Boxes in the place of samples, edges in that of positions.
    detail::map_weights const weights(name, options.weights, {student.samples * positions, bins, 1, edges});
    double const temperature = options.temperature;
    double const scale = options.scale_by_temperature_squared ? temperature * temperature : 1.0;
    double const factor =
        scale *
        weights.factor(options.reduce == localization_reduction::sum ? feature_reduction::sum
                                                                     : feature_reduction::element_mean) *
        (options.reduce == localization_reduction::edge_mean ? static_cast<double>(bins) : 1.0);
    bool const by_temperature = !options.temperature_gradient.empty();
    std::array<double, static_cast<std::size_t>(simd::most_chunks)> slopes{};
    index const size = student.sample_size();
    kernels::rows_of const order = kernels::rows_of::positions;
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last,
                                                                          index chunk) {
          T* const memory = simd::scratch<T, localization_loss>(3 * size + 2 * bins);
          T* const p = memory + 3 * size;
          T const soften = static_cast<T>(1.0 / temperature);
          double total = 0.0, slope = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const to = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            for (index row = 0; row < positions * edges; ++row) {
              index const box = row / edges, edge = row % edges;
              T* const difference = gradient ? &to(box, edge * bins) : p + bins;
              double const weight = weights.of(n * positions + box, edge);
              if (weight == 0.0) {
                std::fill(difference, difference + bins, T(0));
                continue;
              }
              T const* const x = &s(box, edge * bins);
              T const* const y = &t(box, edge * bins);
              auto const value = static_cast<double>(
                  simd::compare_soft_rows(soft_divergence::kl, x, soften, y, soften, bins, difference, p));
              total += weight * value;
              if (by_temperature) {
                double const by_log =
                    static_cast<double>(simd::temperature_slope<T>(x, y, soften, bins, p, difference));
                slope += weight * (options.scale_by_temperature_squared ? 2.0 * value + by_log : by_log);
              }
              if (!gradient) continue;
              simd::lanes<T> const back(static_cast<T>(weight * factor / temperature));
              simd::for_each_register<T>(
                  bins, [&](auto place) { place.store(place.load(difference) * back, difference); });
            }
            if (gradient) gradient.finish(n, order, to);
          }
          slopes[static_cast<std::size_t>(chunk)] = slope;
          return total;
        });
    if (by_temperature) {
      double slope = 0.0;
      for (double const of_chunk : slopes) slope += of_chunk;
      options.temperature_gradient[0] = slope * factor / temperature;
    }
    return {sum * factor, weights.total()};
  }
};

/// The student is as sure as the teacher where each edge of a box lies: the divergence of their distributions over the
/// bins of its distance, as heads of generalised focal loss give them. @alias LD, localization distillation
///
/// @formula   L = reduce_edges w T^2 KL(softmax(t / T) || softmax(s / T)) in nats, over the bins of an edge
/// @param     student  scores: a matrix of boxes x (edges * bins), or the head's map, samples x (edges * bins) x height x
///                     width in any layout, with a box at each position
/// @param     teacher  scores of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  w T (q - p) / n, n what `reduce` divides by; by the temperature (2 KL - sum (q - p) s / T -
///            Cov_p(t, t - s) / T^2) w T / n
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, as of divergences (see error_bound); the gradient's by 1 / n, by
///            the temperature relative to what the value is, over T
/// @nan       NaN stays in its edge's gradient and makes the value NaN. -inf is a bin of probability 0; an edge with none
///            left has loss 0 and no gradient. Without boxes, or where nothing counts: 0
/// @cost      2 exponentials an element; 3 samples of scratch a thread
/// @source    Zheng et al. 2022, "Localization Distillation for Dense Object Detection"; mmdetection's
///            knowledge_distillation_kl_div_loss
/// @example   distil::localization.with_grad(student, teacher, gradient, {.weights = of_boxes})
inline constexpr localization_loss localization{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
