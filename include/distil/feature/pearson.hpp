#pragma once

#include <algorithm>
#include <cmath>

#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct pearson_options {
  /// Added to the standard deviations that divide; finite and >= 0. Default 1e-6, as published.
  double epsilon = 1e-6;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Where a channel's distances are taken from, and in what unit: a power of two, 1 but where squares left the range of T.
/// `first` is in that unit, too.
template <class T>
struct channel_origin {
  T first, unit = 1;

  [[nodiscard]] DISTIL_INLINE simd::lanes<T> distance(simd::lanes<T> x) const {
    return fma(x, simd::lanes<T>(unit), simd::lanes<T>(-first));
  }
};
template <class T>
struct channel_origins {
  channel_origin<T> s, t;
};

/// Sums over one channel of one sample, or of all samples.
struct channel_moments {
  double mean_s = 0, mean_t = 0;  ///< of the distances from the channel's first element
  double squares_s = 0, products = 0;
  double squares_t = 0;  ///< of the distances from the means

  [[nodiscard]] bool finite() const {
    return std::isfinite(mean_s + mean_t + squares_s + products + squares_t);
  }
};

/// What turns a channel's elements into standardised ones, and their differences into a gradient.
template <class T>
struct channel_standard {
  channel_origins<T> from;
  T mean_s, mean_t, by_s, by_t, pull, slope;

  channel_standard(channel_origins<T> const& origins, channel_moments const& m, double count, double epsilon)
      : from(origins), mean_s(T(m.mean_s)), mean_t(T(m.mean_t)) {
    double const unit_s = static_cast<double>(from.s.unit), unit_t = static_cast<double>(from.t.unit);
    double const deviation_s = count > 1 ? std::sqrt(m.squares_s / (count - 1)) : 0.0;
    double const deviation_t = count > 1 ? std::sqrt(m.squares_t / (count - 1)) : 0.0;
    double const a = deviation_s == 0.0 ? 0.0 : 1.0 / (deviation_s + epsilon * unit_s);
    double const b = deviation_t == 0.0 ? 0.0 : 1.0 / (deviation_t + epsilon * unit_t);
    by_s = T(a), by_t = T(b), slope = T(a * unit_s);
    // sum (z_s - z_t) z_s, over (n - 1) times the share of the deviation in what divides
    double const along = a * (a * m.squares_s - b * m.products);
    pull = a == 0.0 ? T(0) : T(along / ((count - 1) * deviation_s * a));
  }
};

}  // namespace kernels

/// See `pearson`.
struct pearson_loss : pair_loss<pearson_loss, pearson_options> {
  static constexpr char const* name = "pearson";
  static constexpr error_bound bound{.value = 16, .gradient = 32};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    pearson_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(detail::is_weight(options.epsilon), name, "epsilon", options.epsilon,
                    detail::must_be_weight);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             pearson_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    if (student.samples == 0) return {};
    struct of_samples {};
    struct of_channels {};
    index const channels = student.channels, samples = student.samples, size = student.sample_size();
    double const count = static_cast<double>(samples * student.positions());
    double const factor = 1.0 / (count * static_cast<double>(channels));
    auto* const moments = reinterpret_cast<kernels::channel_moments*>(
        simd::scratch<double, of_samples>(5 * samples * channels));
    T* const numbers = simd::scratch<T, of_channels>(14 * channels);
    auto* const origins = reinterpret_cast<kernels::channel_origins<T>*>(numbers);
    auto* const standards = reinterpret_cast<kernels::channel_standard<T>*>(numbers + 4 * channels);
    take_firsts(operands, origins);
    measure(policy, operands, origins, moments);
    auto const moments_at = [&, positions = student.positions()](index c) {
      return joined(moments + c, samples, channels, positions);
    };
    bool moved = false;
    for (index c = 0; c < channels; ++c) {
      if (!moments_at(c).finite()) moved = bring_into_range(operands, c, origins[c]) || moved;
    }
    if (moved) measure(policy, operands, origins, moments);
    for (index c = 0; c < channels; ++c) standards[c] = {origins[c], moments_at(c), count, options.epsilon};
    double const sum = simd::sum_chunks(
        policy, samples, simd::worth_a_chunk(size), samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, pearson_loss>(3 * size);
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const written = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            for (index c = 0; c < channels; ++c) {
              total += static_cast<double>(distance(standards[c], &s(c, 0), &t(c, 0), s.columns, T(factor),
                                                    gradient ? &written(c, 0) : nullptr));
            }
            if (gradient) gradient.finish(n, order, written);
          }
          return total;
        });
    return {sum * factor / 2.0, static_cast<double>(samples)};
  }

 private:
  static constexpr auto order = kernels::rows_of::channels;

  /// From which the sums are taken, so that constant channels are exactly that.
  template <class T>
  static void take_firsts(kernels::pair_operands<T> const& operands, kernels::channel_origins<T>* origins) {
    T* const memory = simd::scratch<T, pearson_loss>(3 * operands.student.sample_size());
    auto const s = operands.student.sample(0, order, memory);
    auto const t = operands.teacher.sample(0, order, memory + operands.student.sample_size());
    for (index c = 0; c < s.rows; ++c) origins[c] = {{s(c, 0)}, {t(c, 0)}};
  }

  /// A unit for a channel whose squares or sums leave the range of T; none, and false, where an element is not finite.
  template <class T>
  static bool bring_into_range(kernels::pair_operands<T> const& operands, index c,
                               kernels::channel_origins<T>& origins) {
    index const size = operands.student.sample_size();
    T* const memory = simd::scratch<T, pearson_loss>(3 * size);
    T largest_s = 0, largest_t = 0;
    for (index n = 0; n < operands.student.samples; ++n) {
      auto const s = operands.student.sample(n, order, memory);
      auto const t = operands.teacher.sample(n, order, memory + size);
      for (index i = 0; i < s.columns; ++i) {
        if (!std::isfinite(s(c, i)) || !std::isfinite(t(c, i))) return false;
        largest_s = std::max(largest_s, std::abs(s(c, i))),
        largest_t = std::max(largest_t, std::abs(t(c, i)));
      }
    }
    auto const set_unit = [](kernels::channel_origin<T>& origin, T largest) {
      if (largest == T(0)) return;
      origin.unit = std::ldexp(T(1), std::min(8 - std::ilogb(largest), 100));
      origin.first *= origin.unit;
    };
    set_unit(origins.s, largest_s), set_unit(origins.t, largest_t);
    return true;
  }

  /// The moments of each sample's channels.
  template <class T>
  static void measure(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                      kernels::channel_origins<T> const* origins, kernels::channel_moments* moments) {
    index const size = operands.student.sample_size();
    simd::for_chunks(policy, operands.student.samples, simd::worth_a_chunk(size),
                     operands.student.samples * size, [&](index first, index last) {
                       T* const memory = simd::scratch<T, pearson_loss>(3 * size);
                       for (index n = first; n < last; ++n) {
                         auto const s = operands.student.sample(n, order, memory);
                         auto const t = operands.teacher.sample(n, order, memory + size);
                         for (index c = 0; c < s.rows; ++c)
                           moments[n * s.rows + c] = moments_of(&s(c, 0), &t(c, 0), s.columns, origins[c]);
                       }
                     });
  }

  template <class T>
  static kernels::channel_moments moments_of(T const* s, T const* t, index size,
                                             kernels::channel_origins<T> const& from) {
    auto const sum = [&](auto const& summand) { return simd::sum_of<T>(size, summand); };
    T const mean_s = sum([&](auto at) { return from.s.distance(at.load(s)); }) / static_cast<T>(size);
    T const mean_t = sum([&](auto at) { return from.t.distance(at.load(t)); }) / static_cast<T>(size);
    auto const from_s = [&](auto at) { return from.s.distance(at.load(s)) - simd::lanes<T>(mean_s); };
    auto const from_t = [&](auto at) { return from.t.distance(at.load(t)) - simd::lanes<T>(mean_t); };
    return {static_cast<double>(mean_s), static_cast<double>(mean_t),
            static_cast<double>(sum([&](auto at) { return from_s(at) * from_s(at); })),
            static_cast<double>(sum([&](auto at) { return from_s(at) * from_t(at); })),
            static_cast<double>(sum([&](auto at) { return from_t(at) * from_t(at); }))};
  }

  /// The moments of a channel over all samples.
  static kernels::channel_moments joined(kernels::channel_moments const* of_sample, index samples,
                                         index channels, index positions) {
    kernels::channel_moments all;
    for (index n = 0; n < samples; ++n) {
      all.mean_s += of_sample[n * channels].mean_s;
      all.mean_t += of_sample[n * channels].mean_t;
    }
    all.mean_s /= static_cast<double>(samples);
    all.mean_t /= static_cast<double>(samples);
    for (index n = 0; n < samples; ++n) {
      auto const& part = of_sample[n * channels];
      double const s = part.mean_s - all.mean_s, t = part.mean_t - all.mean_t;
      auto const times = static_cast<double>(positions);
      all.squares_s += part.squares_s + times * s * s;
      all.squares_t += part.squares_t + times * t * t;
      all.products += part.products + times * s * t;
    }
    return all;
  }

  template <class T>
  static T distance(kernels::channel_standard<T> const& by, T const* s, T const* t, index size, T factor,
                    T* slope) {
    using lanes = simd::lanes<T>;
    lanes const mean_s(by.mean_s), mean_t(by.mean_t), by_s(by.by_s), by_t(by.by_t), pull(by.pull);
    lanes const scale(by.slope * factor);
    return simd::sum_of<T>(size, [&](auto at) {
      lanes const z = (by.from.s.distance(at.load(s)) - mean_s) * by_s;
      lanes const d = z - (by.from.t.distance(at.load(t)) - mean_t) * by_t;
      if (slope != nullptr) at.store((d - z * pull) * scale, slope);
      return d * d;
    });
  }
};

/// Each channel varies over the batch as the teacher's, whatever its mean and scale: 1 - the Pearson correlation.
/// Means and deviations are the batch's: no sample has a value of its own. @alias PKD of detectors
///
/// @formula   L = mean (z_s - z_t)^2 / 2, z = (x - mean) / (deviation + epsilon) of each channel over samples and
///            positions, deviations unbiased; with epsilon = 0 it is (n - 1) / n (1 - correlation)
/// @param     student  feature map, samples x channels x height x width in any layout, or a matrix
/// @param     teacher  of the student's shape; resize it first where heights and widths differ
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  (d - z_s (d . z_s) / ((n - 1) deviation / (deviation + epsilon))) / (deviation + epsilon) / (n C), with
///            d = z_s - z_t. A constant channel has z = 0 and no gradient
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of 1 for the value, of the largest (1 + |z|) / (deviation + epsilon) / (n
///            C) for the gradient
/// @nan       the batch is coupled: a NaN makes the value and its channel's gradient NaN. Without samples 0. No finite
///            numbers are too large
/// @cost      reads two maps twice and writes one; 5 double a sample and channel, and 3 samples a thread
/// @source    Cao et al. 2022, equations 4 to 6; mmrazor's pkd_loss (weights 6 to 10)
/// @example   distil::pearson.with_grad(student, teacher, gradient)
inline constexpr pearson_loss pearson{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
