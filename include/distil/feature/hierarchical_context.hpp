#pragma once

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pooling.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct hierarchical_context_options {
  /// Heights and widths to which the maps are pooled; those that are not below the map's own height are left out, and
  /// so is 0. The level that is not pooled has weight 1, each that is used half the weight of the one before. Default:
  /// 4, 2 and 1, as published.
  std::array<index, 3> levels = {4, 2, 1};

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `hierarchical_context`.
struct hierarchical_context_loss : pair_loss<hierarchical_context_loss, hierarchical_context_options> {
  static constexpr char const* name = "hierarchical_context";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    hierarchical_context_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    for (index const level : options.levels)
      detail::require(level >= 0, name, "levels", level, "without negative sizes");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             hierarchical_context_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    pyramid const levels({student.height, student.width}, options.levels);
    detail::sample_values const values(name, options.values, student.samples);
    double const divisor = static_cast<double>(student.channels) * levels.total;
    double const factor = weights.mean_factor(static_cast<double>(student.channels)) / levels.total;
    constexpr auto order = kernels::rows_of::channels;
    index const size = student.sample_size(), positions = student.positions();
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory =
              simd::scratch<T, hierarchical_context_loss>(3 * size + positions + levels.largest);
          T* const difference = memory + 3 * size;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const written = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            for (index c = 0; c < s.rows; ++c) {
              T* const slope = gradient ? &written(c, 0) : nullptr;
              if (weights[n] > 0.0) {
                double const found =
                    levels.distance(&s(c, 0), &t(c, 0), weights[n] * factor, difference, slope);
                total += weights[n] * found;
                values.add(n, found / divisor);
              } else if (slope != nullptr) {  // what does not count may be NaN
                std::fill(slope, slope + positions, T(0));
              }
            }
            if (gradient) gradient.finish(n, order, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  struct pyramid {
    kernels::plane full;
    std::array<index, 3> levels;
    double total = 1.0;  ///< of the weights
    index largest = 0;   ///< number of cells

    pyramid(kernels::plane whole, std::array<index, 3> const& wanted) : full(whole), levels(wanted) {
      double weight = 1.0;
      for (index& level : levels) {
        if (level >= full.height) level = 0;
        if (level == 0) continue;
        total += weight /= 2.0;
        largest = std::max(largest, level * level);
      }
    }

    /// The weighted sum over levels of mean squares of one channel; `difference` has room for it, and for the largest
    /// level behind.
    template <class T>
    double distance(T const* s, T const* t, double factor, T* difference, T* slope) const {
      index const size = full.height * full.width;
      double const by_size = 1.0 / static_cast<double>(size);
      simd::lanes<T> const by(static_cast<T>(2.0 * factor * by_size));
      double sum = by_size * static_cast<double>(simd::sum_of<T>(size, [&](auto at) {
                     auto const d = at.load(s) - at.load(t);
                     at.store(d, difference);
                     if (slope != nullptr) at.store(d * by, slope);
                     return d * d;
                   }));
      T* const pooled = difference + size;
      double weight = 1.0;
      for (index const level : levels) {
        if (level == 0) continue;
        weight /= 2.0;
        double const by_cells = weight / static_cast<double>(level * level);
        kernels::pool_averages(difference, full, pooled, {level, level});
        sum += by_cells * static_cast<double>(simd::sum_of<T>(
                              level * level, [&](auto at) { return at.load(pooled) * at.load(pooled); }));
        if (slope == nullptr) continue;
        kernels::spread_averages(pooled, {level, level}, static_cast<T>(2.0 * factor * by_cells), slope,
                                 full);
      }
      return sum;
    }
  };
};

/// The features resemble the teacher's in detail and, pooled, at large. @alias HCL, ReviewKD
///
/// @formula   L = sum_l w_l mean (pool_l(s) - pool_l(t))^2 / sum_l w_l over the whole map (weight 1) and its averages
///            of 4 x 4, 2 x 2 and 1 x 1 parts (1/2, 1/4, 1/8)
/// @param     student  feature map after the fusion of the student's stages, in any layout
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  2 w_l / (n_l sum w) times the differences of each level, shared among the elements of its parts
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient
/// @nan       a NaN makes the value and its channel's gradient NaN. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one, which it passes once more for each level; 3 samples of scratch a thread
/// @source    Chen et al. 2021, section 3.4, and their code (mdistiller takes it, too), which goes by the height alone
/// @example   distil::hierarchical_context.with_grad(student, teacher, gradient)
inline constexpr hierarchical_context_loss hierarchical_context{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
