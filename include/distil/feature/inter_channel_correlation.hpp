#pragma once

#include <algorithm>

#include "distil/core/map_values.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/products.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil {

/// What the sum over samples and pairs of channels in `inter_channel_correlation` is divided by.
enum class channel_pair_reduction {
  channel_mean,  ///< samples * channels
  pair_mean,     ///< samples * channels^2
  sample_mean,   ///< samples
  sum,           ///< 1
};

struct inter_channel_correlation_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: samples times channels, as in the authors' code, which the published weight of 2.5 assumes. (torchdistill
  /// divides by the samples once more.)
  channel_pair_reduction reduce = channel_pair_reduction::channel_mean;

  /// Of samples: one number or one per sample; finite and >= 0. What has weight 0 does not count and may be NaN.
  /// Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `inter_channel_correlation`.
struct inter_channel_correlation_loss
    : pair_loss<inter_channel_correlation_loss, inter_channel_correlation_options> {
  static constexpr char const* name = "inter_channel_correlation";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    inter_channel_correlation_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, false, false});
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             inter_channel_correlation_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    index const channels = student.channels, pairs = channels * channels;
    index const longest = std::max(student.positions(), teacher.positions());
    detail::map_weights const weights(name, options.weights, {student.samples, channels, 1, 1});
    detail::sample_values const values(name, options.values, student.samples);
    double const divisor = divisor_of(options.reduce, channels);
    double const factor =
        weights.factor(options.reduce == channel_pair_reduction::sum ? feature_reduction::sum
                                                                     : feature_reduction::sample_mean) /
        divisor;
    detail::any_policy const alone(serial);
    kernels::rows_of const order = kernels::rows_of::channels;
    double const sum = simd::sum_chunks(
        policy, student.samples, 1, student.samples * pairs * longest,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory =
              simd::scratch<T, inter_channel_correlation_loss>(2 * channels * longest + 2 * pairs + channels);
          T* const slopes = memory + channels * longest;
          matrix_view<T> const units(slopes + channels * longest, channels, channels);
          matrix_view<T> const differences(units.data + pairs, channels, channels);
          T* const lengths = differences.data + pairs;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            double const weight = weights.of(n, 0);
            auto const to = gradient ? gradient.sample(n, order, slopes) : matrix_view<T>();
            if (weight > 0.0) {
              kernels::gram<T>(alone, teacher.sample(n, order, memory), differences);
              kernels::to_unit_rows<T>(alone, differences, differences, lengths);
              auto const x = student.sample(n, order, memory);
              kernels::gram<T>(alone, x, units);
              kernels::to_unit_rows<T>(alone, units, units, lengths);
              double const found = subtract<T>(units, differences, static_cast<T>(2.0 * weight * factor));
              total += weight * found;
              values.add(n, found / divisor);
              if (gradient) {
                kernels::pull_back_unit_rows<T>(alone, units, lengths, differences);
                kernels::multiply<T>(alone, differences, x, to);
                kernels::multiply_transpose<T>(alone, differences, x, to, kernels::into::add);
              }
            } else if (gradient) {
              kernels::in_eigen(to).setZero();
            }
            if (gradient) gradient.finish(n, order, to);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  static double divisor_of(channel_pair_reduction reduce, index channels) {
    auto const count = static_cast<double>(channels);
    switch (reduce) {
      case channel_pair_reduction::channel_mean:
        return count;
      case channel_pair_reduction::pair_mean:
        return count * count;
      case channel_pair_reduction::sample_mean:
      case channel_pair_reduction::sum:
        break;
    }
    return 1.0;
  }

  /// The sum of the squared differences; `slope` times these take the teacher's place.
  template <class T>
  static double subtract(matrix_view<T const> student, matrix_view<T> teacher, T slope) {
    double total = 0.0;
    for (index row = 0; row < student.rows; ++row) {
      T const* const unit = &student(row, 0);
      T* const difference = &teacher(row, 0);
      total += static_cast<double>(simd::sum_of<T>(student.columns, [&](auto place) {
        simd::lanes<T> const d = place.load(unit) - place.load(difference);
        place.store(d * simd::lanes<T>(slope), difference);
        return d * d;
      }));
    }
    return total;
  }
};

/// Channels alike for the teacher are alike for the student, in each sample: `similarity_preserving` with channels in the
/// place of samples. It couples no samples, and so is a loss of features; positions may differ. @alias ICKD, ICKD-C,
/// inter-channel correlation
///
/// @formula   L = reduce_n |N_s - N_t|_F^2; N are the rows of G = F F' (C x C), each divided by its length
/// @param     student  feature map, samples x C x height x width in any layout
/// @param     teacher  feature map of the student's samples and channels, of any positions
/// @param     gradient of the student's shape, dL/dF, overwritten or added; may be the student itself, never the teacher
/// @gradient  (dG + dG') F with dG_i = (R_i - N_i (N_i . R_i)) / |G_i|, R = 2 w (N_s - N_t) / n; n is what `reduce`
///            divides by. The row of a channel of zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons of C / n a sample for the value, of the largest element of
///            the gradient of unlike features for the gradient
/// @nan       NaN makes the value NaN, and the gradient of its sample. Without samples, or where nothing counts: 0
/// @cost      C^2 products of channels a sample, 2 C^2 more with gradient
/// @source    Liu et al. 2021, "Exploring Inter-Channel Correlation for Diversity-preserved Knowledge Distillation",
///            and its code, ADLab-AutoDrive/ICKD
/// @example   distil::inter_channel_correlation.with_grad(student, teacher, gradient)
inline constexpr inter_channel_correlation_loss inter_channel_correlation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
