#pragma once

#include <cmath>
#include <span>

#include "distil/feature/maps/channel_parameter.hpp"
#include "distil/feature/maps/element_sums.hpp"

namespace distil {

struct overhaul_options {
  /// Below which the teacher says nothing: one number or one per channel, finite; see `overhaul_margins`. Default 0,
  /// the teacher's activations.
  row_parameter margins = 0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the sum over channels and positions, divided by the samples.
  feature_reduction reduce = feature_reduction::sample_mean;

  /// Divides value and gradient; finite and > 0. Default 1. The authors: 1000 on CIFAR, 10000 on ImageNet, for the last
  /// layer, and twice as much for each one before it.
  double divisor = 1.0;

  /// Of samples, or of positions; finite and >= 0, see `hint_options`. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

/// The margins of `overhaul` from the teacher's batch normalisation before the activation: the mean of what it makes
/// negative, m = b - a phi(b / a) / Phi(-b / a) of a normal distribution with deviation a = |scale| and mean b = bias;
/// -3 a where less than a thousandth is negative; the lesser of b and 0 where a is 0. All three are of one size.
inline void overhaul_margins(std::span<double const> scale, std::span<double const> bias,
                             std::span<double> margins) {
  detail::require(bias.size() == scale.size(), "overhaul_margins", "bias", bias.size(), "as long as scale");
  detail::require(margins.size() == scale.size(), "overhaul_margins", "margins", margins.size(),
                  "as long as scale");
  for (std::size_t c = 0; c < scale.size(); ++c) {
    double const a = std::abs(scale[c]), b = bias[c];
    if (a == 0.0) {
      margins[c] = std::min(b, 0.0);
      continue;
    }
    double const z = b / a, negative = std::erfc(z / std::sqrt(2.0)) / 2.0;
    double const density = std::exp(-z * z / 2.0) / std::sqrt(2.0 * 3.14159265358979323846);
    margins[c] = negative > 0.001 ? b - a * density / negative : -3.0 * a;
  }
}

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `overhaul`.
struct overhaul_loss : pair_loss<overhaul_loss, overhaul_options> {
  static constexpr char const* name = "overhaul";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    overhaul_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require_channel_parameter(name, "margins", options.margins, student[1]);
  }
  static void check_numbers(overhaul_options const& options, detail::computing_type type) {
    detail::require_made_of_channels(name, "margins", options.margins, type, "margin^2",
                                     [&](index c) { return options.margins[c] * options.margins[c]; });
    detail::require_divisor(name, "divisor", options.divisor, type);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             overhaul_options const& options) {
    auto const& student = operands.student;
    detail::map_weights const weights(name, options.weights,
                                      {student.samples, student.channels, student.height, student.width});
    detail::map_values const values(name, options.values, options.reduce, weights, detail::values_of::samples,
                                    options.divisor);
    double const factor = weights.factor(options.reduce) / options.divisor;
    using lanes = simd::lanes<T>;
    double const sum = kernels::sum_elements<overhaul_loss>(
        policy, operands, weights, values, factor, kernels::channels_are::different, [&](index channel) {
          lanes const margin(static_cast<T>(options.margins[channel]));
          return [margin](lanes s, lanes t) -> kernels::element_loss<T> {
            lanes const target = select(t < margin, margin, t);
            lanes const difference = s - target;
            lanes const d = select((s <= target) & (target <= lanes(0)), lanes(0), difference);
            return {d * d, d + d};
          };
        });
    return {sum * factor, weights.total()};
  }
};

/// The student's features before the activation resemble the teacher's where these are positive, and are to stay below
/// the channel's margin where they are not. @alias OFD
///
/// @formula   L = sum_i w_i [s_i > t'_i or t'_i > 0] (s_i - t'_i)^2 / samples, t' = max(t, margin of the channel)
/// @param     student  feature map or matrix, before the activation, behind the connector
/// @param     teacher  of the student's shape, before the activation
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  2 (s - t') w / n where it counts
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient
/// @nan       NaN elements make the value NaN and the gradient there alone. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 3 samples of scratch a thread
/// @source    Heo et al. 2019 (A comprehensive overhaul of feature distillation), equations 3 to 7, and their code;
///            Knowledge-Distillation-Zoo takes the batch's negative mean as margin and the mean over elements
/// @example   distil::overhaul.with_grad(student, teacher, gradient, {.margins = margins, .divisor = 1000})
inline constexpr overhaul_loss overhaul{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
