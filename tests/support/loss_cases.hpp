#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "batches.hpp"
#include "reference.hpp"
#include "reference_gradient.hpp"

/// One entry per loss: how to call it, and what it must give. The shared suites take everything they need
/// from here, so a loss without an entry cannot be configured, and one with an entry is tested in every
/// respect.
namespace distil::testing {

/// One set of options of a loss; an entry reads the ones that concern it.
struct setting {
  std::string label = "default";
  double temperature = 1.0;
  bool squared = true;
  double soft_weight = 0.9;
  double hard_weight = 0.1;
  double label_smoothing = 0.0;
  smoothing smoothing_over = smoothing::all_classes;
};

/// What the reference says of one row, and the sizes its error bounds are relative to.
struct truth {
  long double value = 0;
  long double weight = 0;
  std::vector<long double> gradient = {};
  long double by_temperature = 0;
  double value_scale = 1;     ///< f * (1 + log C), beside |value|
  double gradient_scale = 1;  ///< f / T
};

using exact_row = std::vector<long double>;

inline double temperature_factor(setting const& s) { return s.squared ? s.temperature * s.temperature : 1.0; }
inline double size_of_classes(exact_row const& z) { return 1.0 + std::log(static_cast<double>(z.size())); }

/// Settings that every loss with a temperature goes through.
inline std::vector<setting> temperatures() {
  return {{.label = "T=1"},
          {.label = "T=4", .temperature = 4},
          {.label = "T=0.5", .temperature = 0.5},
          {.label = "T=2.5 without T^2", .temperature = 2.5, .squared = false}};
}

/// A divergence between a teacher and a student: everything but the reference.
template <auto const& loss>
struct divergence_case {
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() { return temperatures(); }

  static divergence_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                    bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(), b.teacher.view(), options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                          options(s, rows, slope, accumulate));
  }

  /// From the divergence at T to the loss with its factor.
  template <class Value, class Gradient, class Slope>
  static truth scaled(exact_row const& z, exact_row const& t, setting const& s, Value value,
                      Gradient gradient, Slope slope) {
    long double const T = s.temperature;
    long double const f = temperature_factor(s);
    auto const p = reference::from_logits(t, T);
    auto const q = reference::from_logits(z, T);
    auto const one = value(p, q);
    truth result{.value = f * one.value, .weight = one.weight, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / T);
    if (one.weight == 0) return result;
    long double largest = 0;
    for (auto const* const distribution : {&p.probability, &q.probability}) {
      for (long double const probability : *distribution) largest = std::max(largest, probability);
    }
    if (std::isfinite(largest)) result.gradient_scale *= static_cast<double>(largest);
    result.gradient = gradient(z, p, T);
    for (long double& entry : result.gradient) entry *= f;
    result.by_temperature =
        f * slope(p, q, reference::teacher_form::logits, T) + (s.squared ? 2 * T * one.value : 0.0L);
    return result;
  }
};

struct forward_kl_case : divergence_case<distil::forward_kl> {
  static constexpr char const* name = "forward_kl";
  static constexpr error_bound bound = forward_kl_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::forward_kl<long double>, reference::forward_kl_gradient<long double>,
                  reference::forward_kl_by_temperature<long double>);
  }
};

struct soft_cross_entropy_case : divergence_case<distil::soft_cross_entropy> {
  static constexpr char const* name = "soft_cross_entropy";
  static constexpr error_bound bound = soft_cross_entropy_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::soft_cross_entropy<long double>,
                  reference::forward_kl_gradient<long double>,
                  reference::soft_cross_entropy_by_temperature<long double>);
  }
};

struct cross_entropy_case {
  static constexpr char const* name = "cross_entropy";
  static constexpr error_bound bound = cross_entropy_loss::bound;
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "plain", .squared = false},
            {.label = "smoothed over all", .squared = false, .label_smoothing = 0.1},
            {.label = "smoothed over others",
             .squared = false,
             .label_smoothing = 0.25,
             .smoothing_over = smoothing::other_classes},
            {.label = "T=2.5", .temperature = 2.5, .squared = false, .label_smoothing = 0.1},
            {.label = "T=0.5 with T^2", .temperature = 0.5, .squared = true}};
  }
  static cross_entropy_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                       bool accumulate) {
    return {.label_smoothing = s.label_smoothing,
            .smoothing_over = s.smoothing_over,
            .temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return distil::cross_entropy(policy, b.student.view(), b.labels, options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return distil::cross_entropy.with_grad(policy, b.student.view(), b.labels, gradient,
                                           options(s, rows, slope, accumulate));
  }
  static reference::target<long double> target(exact_row const& z, std::int64_t label, setting const& s) {
    auto const convention = s.smoothing_over == smoothing::all_classes
                                ? reference::smoothing_convention::all_classes
                                : reference::smoothing_convention::other_classes;
    return reference::label_target<long double>(
        z.size(), label, {.label_smoothing = s.label_smoothing, .convention = convention});
  }
  static truth of(exact_row const& z, exact_row const&, std::int64_t label, setting const& s) {
    long double const T = s.temperature;
    long double const f = temperature_factor(s);
    auto const wanted = target(z, label, s);
    exact_row tempered = z;
    for (long double& entry : tempered) entry /= T;
    auto const one = reference::cross_entropy(tempered, wanted);
    truth result{.value = f * one.value, .weight = one.weight, .gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / T);
    if (one.weight == 0) return result;
    result.gradient = reference::cross_entropy_gradient(z, wanted, T);
    long double moment = 0;
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (result.gradient[c] != 0) moment += result.gradient[c] * z[c];
    }
    result.by_temperature = -f * moment / T + (s.squared ? 2 * T * one.value : 0.0L);
    for (long double& entry : result.gradient) entry *= f;
    return result;
  }
};

struct hinton_kd_case {
  static constexpr char const* name = "hinton_kd";
  static constexpr error_bound bound = hinton_kd_loss::bound;
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = true;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "mdistiller", .temperature = 4},
            {.label = "equal weights, T=1", .soft_weight = 0.5, .hard_weight = 0.5},
            {.label = "T=3", .temperature = 3},
            {.label = "independent weights",
             .temperature = 2,
             .soft_weight = 1.0,
             .hard_weight = 0.8,
             .label_smoothing = 0.1},
            {.label = "without T^2",
             .temperature = 2.5,
             .squared = false,
             .soft_weight = 0.7,
             .hard_weight = 0.3}};
  }
  static hinton_kd_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                   bool accumulate) {
    return {.temperature = s.temperature,
            .soft_weight = s.soft_weight,
            .hard_weight = s.hard_weight,
            .scale_by_temperature_squared = s.squared,
            .label_smoothing = s.label_smoothing,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return distil::hinton_kd(policy, b.student.view(), b.teacher.view(), b.labels,
                             options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return distil::hinton_kd.with_grad(policy, b.student.view(), b.teacher.view(), b.labels, gradient,
                                       options(s, rows, slope, accumulate));
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, setting const& s) {
    long double const T = s.temperature;
    auto const wanted = cross_entropy_case::target(z, label, s);
    auto const p = reference::from_logits(t, T);
    reference::hinton_options<long double> const options{T, s.soft_weight, s.hard_weight, s.squared};
    auto const one = reference::hinton_kd(z, p, wanted, options);
    double const f = temperature_factor(s);
    return {.value = one.value,
            .weight = one.weight,
            .gradient = reference::hinton_kd_gradient(z, p, wanted, options),
            .by_temperature =
                reference::hinton_kd_by_temperature(z, p, reference::teacher_form::logits, wanted, options),
            .value_scale = (s.hard_weight + s.soft_weight * f) * size_of_classes(z),
            .gradient_scale = s.hard_weight + s.soft_weight * f / s.temperature};
  }
};

/// A function of the logits alone.
template <auto const& loss>
struct logits_case {
  static constexpr bool has_teacher = false;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = true;
  static constexpr bool is_map = false;
  static std::vector<setting> settings() {
    return {{.label = "T=1"}, {.label = "T=4", .temperature = 4}, {.label = "T=0.5", .temperature = 0.5}};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(),
                {.temperature = s.temperature, .rows = rows, .temperature_gradient = slope});
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), gradient,
                          {.temperature = s.temperature,
                           .rows = rows,
                           .accumulate = accumulate,
                           .temperature_gradient = slope});
  }
};

struct entropy_case : logits_case<distil::entropy> {
  static constexpr char const* name = "entropy";
  static constexpr error_bound bound = entropy_loss::bound;
  static truth of(exact_row const& z, exact_row const&, std::int64_t, setting const& s) {
    auto const one = reference::entropy(z, s.temperature);
    return {
        .value = one.value,
        .weight = one.weight,
        .gradient = one.weight == 0 ? exact_row(z.size(), 0) : reference::entropy_gradient(z, s.temperature),
        .by_temperature = one.weight == 0 ? 0 : reference::entropy_by_temperature(z, s.temperature),
        .value_scale = size_of_classes(z),
        .gradient_scale = 1 / s.temperature};
  }
};

struct log_sum_exp_case : logits_case<distil::log_sum_exp> {
  static constexpr char const* name = "log_sum_exp";
  static constexpr bool moves_with_a_constant = true;
  static constexpr error_bound bound = log_sum_exp_loss::bound;
  static truth of(exact_row const& z, exact_row const&, std::int64_t, setting const& s) {
    if (reference::fully_masked(z)) return {.gradient = exact_row(z.size(), 0)};
    long double const top = *std::max_element(z.begin(), z.end()) / s.temperature;
    return {.value = reference::log_sum_exp(z, s.temperature),
            .weight = 1,
            .gradient = reference::log_sum_exp_gradient(z, s.temperature),
            .by_temperature = reference::log_sum_exp_by_temperature(z, s.temperature),
            .value_scale = size_of_classes(z) + static_cast<double>(std::abs(top)),
            .gradient_scale = 1 / s.temperature};
  }
};

/// `softmax` and `log_softmax` through a linear function of their output: the teacher stands for the upstream
/// gradient, so that one number and its gradient test the map and its pull-back.
template <auto const& map, bool logarithmic>
struct map_case {
  static constexpr bool has_teacher = true;
  static constexpr bool has_labels = false;
  static constexpr bool has_temperature_gradient = false;
  static constexpr bool is_map = true;  // from logits to a matrix: tested through a linear function of it
  static std::vector<setting> settings() {
    return {{.label = "T=1"}, {.label = "T=4", .temperature = 4}, {.label = "T=0.5", .temperature = 0.5}};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, setting const& s, row_options const& rows,
                          std::span<double> = {}) {
    owned_matrix<double> output(b.rows, b.columns, layout::row_major);
    map(policy, b.student.view(), output.view(), {.temperature = s.temperature});
    return reduced(b, output, rows);
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, setting const& s,
                              row_options const& rows, bool accumulate = false, std::span<double> = {}) {
    owned_matrix<double> output(b.rows, b.columns, layout::row_major);
    owned_matrix<double> upstream(b.rows, b.columns, layout::row_major);
    map(policy, b.student.view(), output.view(), {.temperature = s.temperature});
    auto const [factors, weight] = row_factors(b, rows);
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) {
        upstream.set(r, c, factors[static_cast<std::size_t>(r)] * b.teacher.at(r, c));
      }
    }
    map.pull_back(policy, output.view(), upstream.view(), gradient,
                  {.temperature = s.temperature, .accumulate = accumulate});
    return reduced(b, output, rows);
  }
  template <class Batch>
  static std::pair<std::vector<double>, double> row_factors(Batch const& b, row_options const& rows) {
    std::vector<double> factors;
    double weight = 0;
    for (index r = 0; r < b.rows; ++r) {
      bool const counts = !reference::fully_masked(b.student.template row<double>(r)) && rows.weights[r] > 0;
      factors.push_back(counts ? rows.weights[r] : 0.0);
      weight += factors.back();
    }
    double const divisor = rows.reduce == reduction::sum ? 1.0
                           : rows.normalizer > 0         ? rows.normalizer
                                                         : weight;
    for (double& factor : factors) factor = divisor > 0 ? factor / divisor : 0.0;
    return {factors, weight};
  }
  template <class Batch>
  static loss_value reduced(Batch const& b, owned_matrix<double> const& output, row_options const& rows) {
    auto const [factors, weight] = row_factors(b, rows);
    double sum = 0;
    for (index r = 0; r < b.rows; ++r) {
      double value = 0;
      for (index c = 0; c < b.columns; ++c) {
        bool const masked = b.student.at(r, c) == -simd::infinity<double>;
        if (!masked) value += b.teacher.at(r, c) * output.at(r, c);
      }
      double const factor = factors[static_cast<std::size_t>(r)];
      if (!rows.values.empty()) rows.values[static_cast<std::size_t>(r)] = factor == 0 ? 0 : value;
      if (factor != 0) sum += factor * value;
    }
    return {sum, weight};
  }
  static truth of(exact_row const& z, exact_row const& g, std::int64_t, setting const& s) {
    truth result{.gradient = exact_row(z.size(), 0)};
    if (reference::fully_masked(z)) return result;
    result.weight = 1;
    exact_row upstream = g;
    double size = 0;
    auto const y =
        logarithmic ? reference::log_softmax(z, s.temperature) : reference::softmax(z, s.temperature);
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (std::isinf(z[c])) {
        upstream[c] = 0;
        continue;
      }
      result.value += g[c] * y[c];
      size += static_cast<double>(std::abs(g[c]) * (1 + std::abs(y[c])));
    }
    result.gradient = logarithmic ? reference::log_softmax_pull_back(z, upstream, s.temperature)
                                  : reference::softmax_pull_back(z, upstream, s.temperature);
    result.value_scale = size;
    result.gradient_scale = size / s.temperature;
    return result;
  }
};

struct softmax_case : map_case<distil::softmax, false> {
  static constexpr char const* name = "softmax";
  static constexpr error_bound bound{.value = 16, .gradient = softmax_function_object::bound.gradient};
};

struct log_softmax_case : map_case<distil::log_softmax, true> {
  static constexpr char const* name = "log_softmax";
  static constexpr error_bound bound{.value = 16, .gradient = log_softmax_function_object::bound.gradient};
};

}  // namespace distil::testing
