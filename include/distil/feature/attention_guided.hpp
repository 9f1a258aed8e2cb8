#pragma once

#include <array>
#include <cmath>

#include "distil/core/map_weights.hpp"
#include "distil/feature/maps/magnitude_of_sample.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

struct attention_guided_options {
  /// Of the masks; within [1e-15, 1e15]. Default 0.5, as in the paper for two-stage detectors (0.1 for one-stage ones).
  double temperature = 0.5;

  /// Multiply the three terms; finite and >= 0. Defaults 7e-5, 4e-3 and 4e-3: two-stage detectors in the paper, all of
  /// mmrazor. (The paper has 4e-4, 2e-2 and 2e-2 for one-stage detectors.)
  double masked_weight = 7e-5;
  double channel_weight = 4e-3;
  double spatial_weight = 4e-3;

  /// Masks of the first term. Defaults: the paper's. Public code has `averaged` over positions and `none` over channels.
  attention_mask spatial_mask = attention_mask::joint;
  attention_mask channel_mask = attention_mask::joint;

  /// Of the other two terms. Default: the paper's. Public code has `mean`.
  attention_pooling pooling = attention_pooling::magnitude;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and the terms without any weight.
struct attention_guided_value : loss_value {
  double masked = 0.0;   ///< masked distance of the maps
  double channel = 0.0;  ///< distance of the channels' attention
  double spatial = 0.0;  ///< distance of the positions' attention
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `attention_guided`.
struct attention_guided_loss
    : pair_loss<attention_guided_loss, attention_guided_options, kernels::as_maps, attention_guided_value> {
  static constexpr char const* name = "attention_guided";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    attention_guided_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
  }

  static void check_numbers(attention_guided_options const& options, detail::computing_type type) {
    detail::require_factor(name, "masked_weight", options.masked_weight, type);
    detail::require_factor(name, "channel_weight", options.channel_weight, type);
    detail::require_factor(name, "spatial_weight", options.spatial_weight, type);
  }

  template <class T>
  static attention_guided_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                                         attention_guided_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    index const samples = student.samples, channels = student.channels, positions = student.positions();
    index const size = channels * positions;
    using attention = kernels::magnitude_of_sample<T>;
    kernels::rows_of const order = kernels::rows_of::channels;
    kernels::magnitude_settings const settings = {options.spatial_mask, options.channel_mask,
                                                  options.temperature, options.pooling};
    auto const memory = [=] {
      return simd::scratch<T, attention_guided_loss>(3 * size + attention::size(channels, positions));
    };

    std::array<double, static_cast<std::size_t>(simd::most_chunks)> of_channels{}, of_positions{};
    double const of_maps = simd::sum_chunks(
        policy, samples, simd::worth_a_chunk(size), samples * size,
        [&, &student = student, &teacher = teacher](index first, index last, index chunk) {
          T* const room = memory();
          attention sample(settings, channels, positions, room + 3 * size);
          double masked = 0.0, channel = 0.0, spatial = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, room), t = teacher.sample(n, order, room + size);
            sample.read(s, t);
            channel += squares(sample.channel_difference(), channels);
            spatial += squares(sample.spatial_difference(), positions);
            for (index c = 0; c < channels; ++c)
              masked += static_cast<double>(sample.channel_mask(c)) *
                        masked_squares(&s(c, 0), &t(c, 0), sample.spatial_mask(), positions);
          }
          of_channels[static_cast<std::size_t>(chunk)] = channel;
          of_positions[static_cast<std::size_t>(chunk)] = spatial;
          return masked;
        });
    attention_guided_value result;
    result.masked = std::sqrt(of_maps);
    result.channel = std::sqrt(sum(of_channels));
    result.spatial = std::sqrt(sum(of_positions));
    result.value = options.masked_weight * result.masked + options.channel_weight * result.channel +
                   options.spatial_weight * result.spatial;
    result.weight = static_cast<double>(samples);
    if (!gradient) return result;

    // A distance of 0 has no gradient.
    auto const slope = [](double weight, double distance) {
      return static_cast<T>(distance == 0.0 ? 0.0 : weight / distance);
    };
    T const by_map = slope(options.masked_weight, result.masked);
    T const by_channel = slope(options.channel_weight, result.channel) / static_cast<T>(positions);
    T const by_position = slope(options.spatial_weight, result.spatial) / static_cast<T>(channels);
    simd::for_chunks(
        policy, samples, simd::worth_a_chunk(size), samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last) {
          T* const room = memory();
          attention sample(settings, channels, positions, room + 3 * size);
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, room), t = teacher.sample(n, order, room + size);
            auto const to = gradient.sample(n, order, room + 2 * size);
            sample.read(s, t);
            for (index c = 0; c < channels; ++c) {
              simd::lanes<T> const of_map(by_map * sample.channel_mask(c)), along(by_position);
              simd::lanes<T> const of_channel(by_channel * sample.channel_difference()[c]), zero(0);
              T const* const x = &s(c, 0);
              T const* const y = &t(c, 0);
              T* const out = &to(c, 0);
              bool const magnitude = options.pooling == attention_pooling::magnitude;
              simd::for_each_register<T>(positions, [&](auto place) {
                simd::lanes<T> const value = place.load(x);
                simd::lanes<T> pooled = fma(place.load(sample.spatial_difference()), along, of_channel);
                if (magnitude) pooled = select(value < zero, -pooled, select(value == zero, zero, pooled));
                place.store(fma((value - place.load(y)) * of_map, place.load(sample.spatial_mask()), pooled),
                            out);
              });
            }
            gradient.finish(n, order, to);
          }
        });
    return result;
  }

 private:
  template <class T>
  static double squares(T const* x, index size) {
    return static_cast<double>(
        simd::sum_of<T>(size, [&](auto place) { return place.load(x) * place.load(x); }));
  }
  template <class T>
  static double masked_squares(T const* x, T const* y, T const* mask, index size) {
    return static_cast<double>(simd::sum_of<T>(size, [&](auto place) {
      simd::lanes<T> const d = place.load(x) - place.load(y);
      return d * d * place.load(mask);
    }));
  }
  template <class Sums>
  static double sum(Sums const& sums) {
    double total = 0.0;
    for (double const of_chunk : sums) total += of_chunk;
    return total;
  }
};

/// The student's maps resemble the teacher's, most where either network looks; and it looks where the teacher looks.
/// The student's map has gone through its adaptation layer. The method's fourth term, a distance of what non-local
/// blocks make of both maps, is this loss of their outputs with no masks and masked_weight alone. @alias FBKD,
/// feature-based distillation of detectors, attention-guided distillation, non-local distillation
///
/// @formula   L = masked_weight |d sqrt(m_s m_c)| + channel_weight |A_c(s) - A_c(t)| + spatial_weight |A_p(s) - A_p(t)|,
///            d = s - t, each norm over the whole batch, so that no sample has a value of its own; A_c and A_p are the
///            means of |s| over positions and channels, m_p = positions * softmax_p((A_p(s) + A_p(t)) / T), m_c alike
/// @param     student  feature map, samples x channels x height x width in any layout
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  masked_weight m d / |.| + sign(s) (channel_weight (A_c(s) - A_c(t)) / (positions |.|) + spatial_weight
///            (A_p(s) - A_p(t)) / (channels |.|)); masks are constant. A norm of 0 has none, nor has |s| at 0
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons: of the norms of student and teacher for the value, of the largest
///            element of the gradient of unlike maps for the gradient
/// @nan       NaN makes value and gradient NaN. Without samples: 0
/// @cost      reads two maps, twice with gradient, and writes one; 3 samples of scratch a thread
/// @source    Zhang & Ma 2021, "Improve Object Detection with Feature-based Knowledge Distillation", for one map at a
///            time. Norms over the batch, weights and the other masks and pooling are those of the authors' code and
///            mmrazor, which put adaptation layers behind the means as well
/// @example   auto const loss = distil::attention_guided.with_grad(student, teacher, gradient); loss.masked
inline constexpr attention_guided_loss attention_guided{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
