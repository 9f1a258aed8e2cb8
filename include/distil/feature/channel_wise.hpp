#pragma once

#include <cmath>

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

struct channel_wise_options {
  /// Divides the features; within [1e-15, 1e15]. Default 1; published: 1 for features, 4 for logits.
  double temperature = 1.0;

  /// Times temperature^2. Default true, as published.
  bool scale_by_temperature_squared = true;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// If it holds a number: becomes the loss's derivative by the temperature.
  std::span<double> temperature_gradient = {};

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `channel_wise`.
struct channel_wise_loss : pair_loss<channel_wise_loss, channel_wise_options> {
  static constexpr char const* name = "channel_wise";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 1};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    channel_wise_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
    detail::require(
        options.temperature_gradient.size() <= 1, name, "temperature_gradient",
        [&] { return "of size " + std::to_string(options.temperature_gradient.size()); }, "empty or one");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             channel_wise_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    double const squared =
        options.scale_by_temperature_squared ? options.temperature * options.temperature : 1.0;
    detail::sample_values const values(name, options.values, student.samples);
    double const channels = static_cast<double>(student.channels), mean = weights.mean_factor(channels);
    // Before the gradient is written, perhaps over the student.
    if (!options.temperature_gradient.empty()) {
      double const slope = sum_over_channels(policy, operands, weights, slope_of_channel<T>{options});
      options.temperature_gradient[0] = mean * slope;
    }
    double const by = mean * squared / options.temperature;
    auto const scale = static_cast<T>(1.0 / options.temperature);
    double const sum = sum_over_channels(
        policy, operands, weights,
        [&](index n, T const* s, T const* t, index size, T* difference, T* scratch, double weight,
            bool writes) {
          auto const divergence = static_cast<double>(
              simd::compare_soft_rows(soft_divergence::kl, s, scale, t, scale, size, difference, scratch));
          values.add(n, divergence * squared / channels);
          if (writes) {
            simd::lanes<T> const slope(static_cast<T>(weight * by));
            simd::for_each_register<T>(
                size, [&](auto place) { place.store(place.load(difference) * slope, difference); });
          }
          return divergence;
        },
        &gradient);
    return {sum * mean * squared, weights.total()};
  }

 private:
  /// Sum of weight * of_channel(sample, student, teacher, size, difference, scratch, weight, writes) over samples and
  /// channels, with room for a row in `difference`, which is the gradient where that is wanted, and in `scratch`.
  template <class T, class OfChannel>
  static double sum_over_channels(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                                  detail::sample_weights const& weights, OfChannel const& of_channel,
                                  kernels::map_target<T> const* gradient = nullptr) {
    constexpr auto order = kernels::rows_of::channels;
    bool const writes = gradient != nullptr && *gradient;
    index const size = operands.student.sample_size(), positions = operands.student.positions();
    return simd::sum_chunks(policy, operands.student.samples, simd::worth_a_chunk(size),
                            operands.student.samples * size, [&](index first, index last, index) {
                              T* const memory = simd::scratch<T, channel_wise_loss>(3 * size + 2 * positions);
                              T* const rows = memory + 3 * size;
                              double total = 0.0;
                              for (index n = first; n < last; ++n) {
                                auto const s = operands.student.sample(n, order, memory);
                                auto const t = operands.teacher.sample(n, order, memory + size);
                                auto const written =
                                    writes ? gradient->sample(n, order, memory + 2 * size) : matrix_view<T>();
                                for (index c = 0; c < s.rows; ++c) {
                                  T* const difference = writes ? &written(c, 0) : rows + positions;
                                  if (weights[n] == 0.0) {  // what does not count may be NaN
                                    std::fill(difference, difference + positions, T(0));
                                  } else {
                                    total += weights[n] * of_channel(n, &s(c, 0), &t(c, 0), positions,
                                                                     difference, rows, weights[n], writes);
                                  }
                                }
                                if (writes) gradient->finish(n, order, written);
                              }
                              return total;
                            });
  }

  /// The derivative of a channel's divergence by the temperature, with the factor before it.
  template <class T>
  struct slope_of_channel {
    channel_wise_options const& options;

    double operator()(index, T const* s, T const* t, index size, T* difference, T* p, double, bool) const {
      double const temperature = options.temperature;
      auto const scale = static_cast<T>(1.0 / temperature);
      auto const divergence = static_cast<double>(
          simd::compare_soft_rows(soft_divergence::kl, s, scale, t, scale, size, difference, p));
      auto const by_log = static_cast<double>(simd::temperature_slope<T>(s, t, scale, size, p, difference));
      return options.scale_by_temperature_squared ? temperature * (2.0 * divergence + by_log)
                                                  : by_log / temperature;
    }
  };
};

/// Each channel attends where the teacher's does: softmax over its positions. A position of -inf is masked; +inf where
/// the student masks what the teacher does not. @alias CWD
///
/// @formula   L = T^2 mean_nc KL(softmax_p(t / T) || softmax_p(s / T))
/// @param     student  feature map or dense logits, samples x channels x height x width in any layout
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  T (q - p) / (N C), q and p the student's and the teacher's softmax of the channel; by the temperature
///            mean_nc of 2 T KL + E_p s - E_q s - Cov_p(t, t - s) / T
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of T^2 (1 + m / T) for the value and of T (1 + m / T) / (N C) for the
///            gradient, m the largest magnitude of s and t; of T (1 + r / T) by the temperature, r the range of a
///            channel; of 1 / T^2 of these without `scale_by_temperature_squared`
/// @nan       a NaN makes the value and its channel's gradient NaN. A channel that is masked everywhere has no loss.
///            Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one, 2 exponentials an element; 3 samples of scratch a thread
/// @source    Shu et al. 2021, equations 3 and 4. Their code takes log(softmax)
/// @example   distil::channel_wise.with_grad(student, teacher, gradient, {.temperature = 4.0})
inline constexpr channel_wise_loss channel_wise{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
