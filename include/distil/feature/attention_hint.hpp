#pragma once

#include <cmath>

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/feature/maps/element_sums.hpp"
#include "distil/feature/maps/magnitude_map.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

/// How the teacher's attention v, a number for each position, becomes the positions' weights.
enum class attention_weighting {
  softmax,     ///< P softmax(v / temperature), as focal and global distillation (FGD); P positions
  normalized,  ///< P v / sum v
};

struct attention_hint_options {
  /// Divides the attention in the softmax; within [1e-15, 1e15]. Default 0.5, as published.
  double temperature = 0.5;

  attention_weighting weighting = attention_weighting::softmax;

  /// v is the mean over the channels of |t|^power; within [1, 64]. Default 1, as published.
  double power = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// What the weighted sum over elements is divided by: samples, channels and positions by default.
  feature_reduction reduce = feature_reduction::element_mean;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `attention_hint`.
struct attention_hint_loss : pair_loss<attention_hint_loss, attention_hint_options> {
  static constexpr char const* name = "attention_hint";
  static constexpr error_bound bound{.value = 32, .gradient = 32};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    attention_hint_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
    detail::require(options.power >= 1.0 && options.power <= 64.0, name, "power", options.power,
                    "within [1, 64]");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             attention_hint_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    index const size = student.sample_size(), positions = student.positions();
    detail::sample_values const values(name, options.values, student.samples);
    double const divisor =
        options.reduce == feature_reduction::element_mean ? static_cast<double>(size) : 1.0;
    double const factor = options.reduce == feature_reduction::sum ? 1.0 : weights.mean_factor(divisor);
    constexpr auto order = kernels::rows_of::channels;
    auto const squared = [](simd::lanes<T> s, simd::lanes<T> t) -> kernels::element_loss<T> {
      auto const d = s - t;
      return {d * d, d + d};
    };
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, attention_hint_loss>(3 * size + positions);
          T* const attention = memory + 3 * size;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const written = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            if (weights[n] > 0.0) attend(t, options, attention);
            for (index c = 0; c < s.rows; ++c) {
              T* const slope = gradient ? &written(c, 0) : nullptr;
              if (weights[n] > 0.0) {
                double const found = kernels::sum_channel(&s(c, 0), &t(c, 0), positions, attention, 1.0,
                                                          weights[n] * factor, slope, squared);
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
  /// Weights of the positions, whose mean is 1.
  template <class T>
  static void attend(matrix_view<T const> teacher, attention_hint_options const& options, T* weights) {
    index const positions = teacher.columns;
    kernels::absolute_power<T> const power(options.power);
    std::fill(weights, weights + positions, T(0));
    for (index c = 0; c < teacher.rows; ++c) {
      simd::for_each_register<T>(
          positions, [&](auto at) { at.store(at.load(weights) + power(at.load(&teacher(c, 0))), weights); });
    }
    double scale = 1.0;
    if (options.weighting == attention_weighting::softmax) {
      double const by = 1.0 / (options.temperature * static_cast<double>(teacher.rows));
      simd::softmax_of(weights, positions, static_cast<T>(by), weights);
      scale = static_cast<double>(positions);
    } else {
      auto const sum =
          static_cast<double>(simd::sum_of<T>(positions, [&](auto at) { return at.load(weights); }));
      if (sum == 0.0) {
        std::fill(weights, weights + positions, T(1));
        return;
      }
      scale = static_cast<double>(positions) / sum;
    }
    simd::lanes<T> const scaled(static_cast<T>(scale));
    simd::for_each_register<T>(positions, [&](auto at) { at.store(at.load(weights) * scaled, weights); });
  }
};

/// The student's features resemble the teacher's above all where the teacher looks. @alias attention-guided
/// distillation, the spatial attention of FGD
///
/// @formula   L = mean_ncp a_np (s - t)^2, a from the teacher's v_np = mean_c |t_ncp|^power, of mean 1 over the
///            positions: P softmax(v / temperature) or P v / sum v
/// @param     student  feature map, samples x channels x height x width in any layout
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  2 a (s - t) w / n. A teacher of zeros has the same weight everywhere
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value and of the largest element of the gradient, times
///            1 + max v / temperature with softmax
/// @nan       a NaN of the teacher makes the value and its sample's gradient NaN, one of the student its element's
///            gradient. Without samples, or where nothing counts: 0
/// @cost      reads two maps, the teacher twice, and writes one; 3 samples of scratch a thread
/// @source    Yang et al. 2022 (FGD), equations 4 to 6, where the attention of the student joins in a loss of its own
/// @example   distil::attention_hint.with_grad(student, teacher, gradient)
inline constexpr attention_hint_loss attention_hint{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
