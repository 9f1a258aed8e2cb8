#pragma once

#include <algorithm>
#include <span>

#include "distil/core/loss_value.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/feature/maps/channel_parameter.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/matrix/products.hpp"

namespace distil {

struct linear_projector_options {
  /// Added to the output's channels: one number or one per channel, finite. Default 0. Of no matter to pull-backs.
  row_parameter bias = 0;

  /// Adds to what is there instead of overwriting it; for pull-backs. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `linear_projector`.
struct linear_projector_function {
  using options_type = linear_projector_options;
  static constexpr char const* name = "linear_projector";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <matrix_argument Input, class Weight, class Output>
  void operator()(Input const& input, Weight const& weight, Output&& output,
                  linear_projector_options const& options = {}) const {
    (*this)(serial, input, weight, std::forward<Output>(output), options);
  }

  template <execution_policy Policy, class Input, class Weight, class Output>
  void operator()(Policy policy, Input const& input, Weight const& weight, Output&& output,
                  linear_projector_options const& options = {}) const {
    auto const from = detail::input_map(input);
    auto const to = detail::output_map(std::forward<Output>(output));
    auto const by = detail::map_of_matrix(detail::input_view(weight));
    check("input", from, "output", to);
    check_weight(by, to.channels, from.channels, from.samples);
    require_apart("output", to, "input", from);
    require_apart("output", to, "weight", by);
    detail::require_channel_parameter(name, "bias", options.bias, to.channels);
    using T = arithmetic<decltype(from), decltype(to), decltype(by)>;
    detail::require_made_of_channels(name, "bias", options.bias, detail::computing_type::of<T>(), "that",
                                     [&](index channel) { return options.bias[channel]; });
    project<T, false>(detail::any_policy(policy), from, by, to, false, &options.bias);
  }

  /// dL/dinput from upstream = dL/doutput.
  template <matrix_argument Upstream, class Weight, class Gradient>
  void pull_back(Upstream const& upstream, Weight const& weight, Gradient&& gradient,
                 linear_projector_options const& options = {}) const {
    pull_back(serial, upstream, weight, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Upstream, class Weight, class Gradient>
  void pull_back(Policy policy, Upstream const& upstream, Weight const& weight, Gradient&& gradient,
                 linear_projector_options const& options = {}) const {
    auto const from = detail::input_map(upstream);
    auto const to = detail::output_map(std::forward<Gradient>(gradient));
    auto const by = detail::map_of_matrix(detail::input_view(weight));
    check("upstream", from, "gradient", to);
    check_weight(by, from.channels, to.channels, from.samples);
    require_apart("gradient", to, "upstream", from);
    require_apart("gradient", to, "weight", by);
    using T = arithmetic<decltype(from), decltype(to), decltype(by)>;
    project<T, true>(detail::any_policy(policy), from, by, to, options.accumulate, nullptr);
  }

  /// dL/dweight.
  template <matrix_argument Input, class Upstream, class Gradient>
  void pull_back_weight(Input const& input, Upstream const& upstream, Gradient&& gradient,
                        linear_projector_options const& options = {}) const {
    pull_back_weight(serial, input, upstream, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Input, class Upstream, class Gradient>
  void pull_back_weight(Policy policy, Input const& input, Upstream const& upstream, Gradient&& gradient,
                        linear_projector_options const& options = {}) const {
    auto const from = detail::input_map(input);
    auto const slope = detail::input_map(upstream);
    auto const to = detail::map_of_matrix(detail::output_view(std::forward<Gradient>(gradient)));
    check("input", from, "upstream", slope);
    check_weight(to, slope.channels, from.channels, from.samples);
    detail::require_distinct_elements(name, "gradient", to);
    require_apart("gradient", to, "input", from);
    require_apart("gradient", to, "upstream", slope);
    using T = arithmetic<decltype(from), decltype(to), decltype(slope)>;
    sum_products<T>(detail::any_policy(policy), from, slope, to, options.accumulate);
  }

  /// dL/dbias, one number per channel of the output.
  template <class Upstream>
  void pull_back_bias(Upstream const& upstream, std::span<double> gradient,
                      linear_projector_options const& options = {}) const {
    auto const from = detail::input_map(upstream);
    detail::require_map(name, "upstream", from);
    detail::require(
        static_cast<index>(gradient.size()) == from.channels, name, "gradient",
        [&] { return "of size " + std::to_string(gradient.size()); },
        [&] { return std::to_string(from.channels) + ", one per channel"; });
    if (!options.accumulate) std::fill(gradient.begin(), gradient.end(), 0.0);
    for (index n = 0; n < from.samples; ++n) {
      for (index c = 0; c < from.channels; ++c) {
        double sum = 0.0;
        for (index y = 0; y < from.height; ++y) {
          for (index x = 0; x < from.width; ++x)
            sum += static_cast<double>(detail::widen<double>(from(n, c, y, x)));
        }
        gradient[static_cast<std::size_t>(c)] += sum;
      }
    }
  }

 private:
  template <class... Maps>
  using arithmetic = std::common_type_t<arithmetic_t<std::remove_const_t<typename Maps::element>>...>;

  template <class From, class To>
  static void check(char const* read, feature_map<From> const& from, char const* other,
                    feature_map<To> const& to) {
    detail::require_map(name, read, from);
    detail::require_map(name, other, to);
    detail::require(
        to.samples == from.samples && to.height == from.height && to.width == from.width, name, other,
        [&] { return detail::map_text(to.shape()); },
        [&] { return std::string("of the samples, height and width of ") + read; });
    if constexpr (!std::is_const_v<To>) detail::require_distinct_elements(name, other, to);
  }

  template <class T>
  static void check_weight(feature_map<T> const& weight, index outputs, index inputs, index samples) {
    detail::require(
        weight.channels == outputs && weight.width == inputs, name, "weight",
        [&] { return detail::shape_text(weight.channels, weight.width); },
        [&] { return detail::said(detail::shape_text(outputs, inputs), ", outputs x inputs"); });
    detail::require(samples == 0 || weight.data != nullptr, name, "weight", "a null pointer", "a matrix");
  }

  template <class A, class B>
  static void require_apart(char const* written, feature_map<A> const& a, char const* read,
                            feature_map<B> const& b) {
    detail::require(
        detail::overlap_of(a, b) == detail::overlap::none, name, written,
        [&] { return std::string("overlapping ") + read; }, "apart from it");
  }

  /// Samples of one position become the positions of one sample.
  template <class T>
  static feature_map<T> merged(feature_map<T> const& map) {
    if (map.positions() != 1) return map;
    return {map.data, 1, map.channels, 1, map.samples, {0, map.strides.channel, 0, map.strides.sample}};
  }

  /// y = W x of every position, or W' x.
  template <class T, bool Transposed, class From, class By, class To>
  static void project(detail::any_policy policy, feature_map<From> const& input,
                      feature_map<By> const& weight, feature_map<To> const& output, bool adds,
                      row_parameter const* bias) {
    if (input.samples == 0) return;
    struct of_weight {};
    struct of_maps {};
    kernels::map_source<T> const from(merged(input)), by(weight);
    auto const whole = merged(output);
    kernels::map_target<T> const to(whole, adds, true);
    auto const w = by.matrix(simd::scratch<T, of_weight>(weight.size()));
    // Rows of positions wherever these are neighbours or there is but one sample of them.
    auto const order = from.natural_order();
    T* const memory = simd::scratch<T, of_maps>(from.sample_size() + whole.channels * whole.positions());
    for (index n = 0; n < from.samples; ++n) {
      auto const x = from.sample(n, order, memory);
      auto const y = to.sample(n, order, memory + from.sample_size());
      if (order == kernels::rows_of::positions) {
        Transposed ? kernels::multiply<T>(policy, x, w, y)
                   : kernels::multiply_by_transpose<T>(policy, x, w, y);
      } else {
        Transposed ? kernels::multiply_transpose<T>(policy, w, x, y) : kernels::multiply<T>(policy, w, x, y);
      }
      if (bias != nullptr) add_bias(*bias, order, y);
      to.finish(n, order, y);
    }
  }

  template <class T>
  static void add_bias(row_parameter const& bias, kernels::rows_of order, matrix_view<T> y) {
    for (index row = 0; row < y.rows; ++row) {
      for (index column = 0; column < y.columns; ++column)
        y(row, column) += static_cast<T>(bias[order == kernels::rows_of::channels ? row : column]);
    }
  }

  template <class T, class From, class Slope, class To>
  static void sum_products(detail::any_policy policy, feature_map<From> const& input,
                           feature_map<Slope> const& upstream, feature_map<To> const& gradient, bool adds) {
    struct of_sums {};
    struct of_maps {};
    kernels::map_source<T> const from(merged(input)), slope(merged(upstream));
    matrix_view<T> const sum(simd::scratch<T, of_sums>(gradient.size()), gradient.channels, gradient.width);
    std::fill(sum.data, sum.data + gradient.size(), T(0));
    auto const order = from.natural_order();
    T* const memory = simd::scratch<T, of_maps>(from.sample_size() + slope.sample_size());
    for (index n = 0; n < from.samples; ++n) {
      auto const x = from.sample(n, order, memory);
      auto const u = slope.sample(n, order, memory + from.sample_size());
      if (order == kernels::rows_of::positions) {
        kernels::multiply_transpose<T>(policy, u, x, sum, kernels::into::add);
      } else {
        kernels::multiply_by_transpose<T>(policy, u, x, sum, kernels::into::add);
      }
    }
    kernels::map_target<T> const to(gradient, adds, false);
    to.finish_matrix(sum);
  }
};

/// Brings the student's channels to the teacher's: a linear layer on rows and tokens, a 1 x 1 convolution on feature
/// maps. For those who have no layers of their own; the gradients by weight and bias are the user's to apply.
///
/// @formula   out_np = W in_np + b at every position p
/// @call      linear_projector(input, weight, output, {.bias = b}); and with upstream = dL/doutput
///            linear_projector.pull_back(upstream, weight, gradient), .pull_back_weight(input, upstream,
///            weight_gradient), .pull_back_bias(upstream, bias_gradient)
/// @param     input   feature map or matrix, in any layout; weight [outputs, inputs]; output of the input's samples,
///            height and width, with a channel for each output, apart from all others
/// @pullback  dinput = W' upstream, dW = sum over samples and positions of upstream input', db = their sum
/// @throws    std::invalid_argument when a shape or parameter is refused; nothing is written then
/// @error     `bound` epsilons times the products' magnitudes and the root of their number
/// @nan       as products have it
/// @cost      samples * positions * inputs * outputs multiplications; a sample of both and the weight of scratch.
///            Fastest where a sample's positions, or its channels, are neighbours in input and output alike
/// @source    Romero et al. 2015 (FitNets' regressor), Chen et al. 2022 (SimKD)
/// @example   distil::linear_projector(student, weight, projected); hint.with_grad(projected, teacher, upstream)
inline constexpr linear_projector_function linear_projector{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
