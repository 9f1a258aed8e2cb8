#pragma once

#include <cmath>
#include <span>

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/feature/maps/channel_parameter.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

/// What `variational_information` takes of a channel's parameter a.
enum class variance_form {
  softplus,     ///< L = mean (log v + d^2 / v) / 2, v = log(1 + e^a) + epsilon
  exponential,  ///< L = mean (d^2 / v + a), v = e^a + epsilon: prime-aware adaptive distillation (PAD)
};

struct variational_information_options {
  /// The learned parameter a of each channel, from which its variance comes: one number or one per channel, finite.
  /// Default: the published start, where v is 5.
  row_parameter variance_parameter = 4.9932292;

  variance_form form = variance_form::softplus;

  /// Added to the variances; finite and > 0. Default 1e-5, as published; PAD takes 1e-6.
  double epsilon = 1e-5;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// If not empty, as long as `variance_parameter` (or one number), and apart from it: becomes dL/da, whatever `accumulate`
  /// says.
  std::span<double> variance_gradient = {};

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `variational_information`.
struct variational_information_loss
    : pair_loss<variational_information_loss, variational_information_options> {
  static constexpr char const* name = "variational_information";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    variational_information_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require_channel_parameter(name, "variance_parameter", options.variance_parameter, student[1]);
    detail::require(detail::is_positive(options.epsilon), name, "epsilon", options.epsilon,
                    detail::must_be_positive);
    std::size_t const wanted =
        options.variance_parameter.per_row() ? static_cast<std::size_t>(student[1]) : 1;
    detail::require(
        options.variance_gradient.empty() || options.variance_gradient.size() == wanted, name,
        "variance_gradient", [&] { return "of size " + std::to_string(options.variance_gradient.size()); },
        [&] { return "empty or " + std::to_string(wanted) + ", as variance_parameter"; });
  }

  static void check_numbers(variational_information_options const& options, detail::computing_type type) {
    detail::require_made_of_channels(name, "variance_parameter", options.variance_parameter, type,
                                     "1 / variance",
                                     [&](index channel) { return 1.0 / variance(options, channel).value; });
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             variational_information_options const& options) {
    auto const& student = operands.student;
    detail::sample_weights const weights(name, options.weights, student.samples);
    detail::sample_values const values(name, options.values, student.samples);
    double const size = static_cast<double>(student.sample_size());
    double const positions = static_cast<double>(student.positions()), factor = weights.mean_factor(size);
    struct of_samples {};
    double* const squares = simd::scratch<double, of_samples>(student.samples * student.channels);
    sum_squares(policy, operands, weights, options, factor, squares);

    double const count = weights.total() * positions;
    double sum = 0.0;
    std::fill(options.variance_gradient.begin(), options.variance_gradient.end(), 0.0);
    for (index c = 0; c < student.channels; ++c) {
      variance const v(options, c);
      double of_channel = 0.0;
      for (index n = 0; n < student.samples; ++n) {
        double const of_sample = squares[n * student.channels + c];
        of_channel += of_sample;
        if (weights[n] > 0.0)
          values.add(n, v.half * (positions * v.logarithm + of_sample / (weights[n] * v.value)) / size);
      }
      sum += v.half * (count * v.logarithm + of_channel / v.value);
      if (options.variance_gradient.empty()) continue;
      index const place = options.variance_parameter.per_row() ? c : 0;
      options.variance_gradient[static_cast<std::size_t>(place)] +=
          factor * v.half * (count * v.slope_of_logarithm - of_channel / v.value * (v.slope / v.value));
    }
    return {sum * factor, weights.total()};
  }

 private:
  struct variance {
    double value, slope;                   ///< and its derivative by a
    double logarithm, slope_of_logarithm;  ///< or what stands for it
    double half;

    variance(variational_information_options const& options, index channel) {
      double const a = options.variance_parameter[channel];
      if (options.form == variance_form::exponential) {
        slope = std::exp(a), value = slope + options.epsilon;
        logarithm = a, slope_of_logarithm = 1.0, half = 1.0;
        return;
      }
      double const decay = std::exp(-std::abs(a));
      value = std::max(a, 0.0) + std::log1p(decay) + options.epsilon;
      slope = (a >= 0.0 ? 1.0 : decay) / (1.0 + decay);
      logarithm = std::log(value), slope_of_logarithm = slope / value, half = 0.5;
    }
  };

  /// The weighted squares of each sample's channels; writes the gradient.
  template <class T>
  static void sum_squares(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                          detail::sample_weights const& weights,
                          variational_information_options const& options, double factor, double* squares) {
    constexpr auto order = kernels::rows_of::channels;
    auto const& [student, teacher, gradient] = operands;
    index const size = student.sample_size();
    simd::for_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last) {
          T* const memory = simd::scratch<T, variational_information_loss>(3 * size);
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const written = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            for (index c = 0; c < s.rows; ++c) {
              variance const v(options, c);
              simd::lanes<T> const by(static_cast<T>(2.0 * v.half * weights[n] * factor / v.value));
              T* const slope = gradient ? &written(c, 0) : nullptr;
              double& sum = squares[n * s.rows + c];
              sum = 0.0;
              if (weights[n] > 0.0) {
                sum = weights[n] * static_cast<double>(simd::sum_of<T>(s.columns, [&](auto at) {
                        auto const d = at.load(&s(c, 0)) - at.load(&t(c, 0));
                        if (slope != nullptr) at.store(d * by, slope);
                        return d * d;
                      }));
              } else if (slope != nullptr) {  // what does not count may be NaN
                std::fill(slope, slope + s.columns, T(0));
              }
            }
            if (gradient) gradient.finish(n, order, written);
          }
        });
  }
};

/// The student's features predict the teacher's, with a learned variance for each channel. Negative values are normal.
/// @alias VID, PAD
///
/// @formula   L = mean (log v_c + (s - t)^2 / v_c) / 2, v_c = log(1 + e^a_c) + epsilon; or see `variance_form`
/// @param     student  the predicted means: a feature map, samples x channels x height x width, or a matrix
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  (s - t) / v / n; by a: (1 / v - (s - t)^2 / v^2) / (1 + e^-a) / 2, in the mean over the channel's
///            elements and divided by the channels
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of mean (|log v| + d^2 / v) / 2 for the value, of the
///            largest element of the gradient
/// @nan       NaN elements make the value and their channel's variance_gradient NaN and the gradient there alone.
///            Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; a double a sample and channel, and 3 samples a thread
/// @source    Ahn et al. 2019, equations 5 and 6. RepDistiller learns a; mdistiller leaves it at its start. Zhang et
///            al. 2020 (PAD), whose a comes for each sample from a layer of its own
/// @example   distil::variational_information.with_grad(student, teacher, gradient,
///            {.variance_parameter = a, .variance_gradient = by_a})
inline constexpr variational_information_loss variational_information{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
