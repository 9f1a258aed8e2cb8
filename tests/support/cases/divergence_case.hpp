#pragma once

#include <algorithm>
#include <array>

#include "case.hpp"
#include "distil/response/divergence.hpp"

namespace distil::testing {

/// What a class adds to a sum, and its derivatives by the logarithms of the probabilities.
struct naive_summand {
  long double value = 0, d_log_q = 0, d_log_p = 0;
};

template <std::size_t Count>
struct naive_outcome {
  long double value;
  std::array<long double, Count> weights;
};

/// 0 where the weight is, whatever x.
inline long double times(long double weight, long double x) { return weight == 0 ? 0 : weight * x; }

/// log(e^a + e^b).
inline long double log_of_sum(long double a, long double b) {
  long double const top = std::max(a, b);
  return std::isinf(top) ? top : top + std::log1p(std::exp(std::min(a, b) - top));
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

  /// The loss from naive sums over classes. `terms(p, log p, q, log q)` gives an array of naive_summand, `outcome` of
  /// their complete sums the divergence and what multiplies each derivative.
  template <class Terms, class Outcome>
  static truth of_sums(exact_row const& z, exact_row const& t, setting const& s, Terms terms,
                       Outcome outcome) {
    long double const T = s.temperature;
    long double const f = temperature_factor(s);
    auto const p = reference::from_logits(t, T);
    auto const q = reference::from_logits(z, T);
    truth result{.gradient = exact_row(z.size(), 0)};
    result.value_scale = static_cast<double>(f) * size_of_classes(z);
    result.gradient_scale = static_cast<double>(f / T);
    if (reference::fully_masked(z) || reference::fully_masked(t)) return result;
    result.weight = 1;
    std::vector<decltype(terms(0.0L, 0.0L, 0.0L, 0.0L))> summands;
    decltype(terms(0.0L, 0.0L, 0.0L, 0.0L)) sums{};
    for (std::size_t c = 0; c < z.size(); ++c) {
      if (std::isinf(z[c]) && std::isinf(t[c]) && z[c] < 0 && t[c] < 0) {
        summands.push_back({});
        continue;
      }
      summands.push_back(
          terms(p.probability[c], p.log_probability[c], q.probability[c], q.log_probability[c]));
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k].value += summands[c][k].value;
    }
    auto const [value, weights] = outcome(sums);
    result.value = f * value;
    exact_row psi(z.size(), 0), chi(z.size(), 0);
    long double largest = 0, psi_sum = 0, largest_q = 0;
    for (std::size_t c = 0; c < z.size(); ++c) {
      for (std::size_t k = 0; k < sums.size(); ++k) {
        if (weights[k] == 0) continue;
        psi[c] += weights[k] * summands[c][k].d_log_q;
        chi[c] += weights[k] * summands[c][k].d_log_p;
      }
      psi_sum += psi[c];
      largest_q = std::max(largest_q, q.probability[c]);
      largest = std::max({largest, std::abs(psi[c]), p.probability[c]});
    }
    largest += largest_q * (1 + std::abs(psi_sum));
    if (!std::isfinite(psi_sum)) {  // no gradient that numbers could hold
      result.gradient.assign(z.size(), std::numeric_limits<long double>::quiet_NaN());
      result.by_temperature = std::numeric_limits<long double>::quiet_NaN();
      return result;
    }
    result.gradient_scale *= static_cast<double>(largest);
    result.gradient = reference::log_softmax_pull_back(z, psi, T);
    for (long double& entry : result.gradient) entry *= f;
    result.by_temperature = f * (reference::log_softmax_pull_back_by_temperature(z, psi, T) +
                                 reference::log_softmax_pull_back_by_temperature(t, chi, T)) +
                            (s.squared ? 2 * T * value : 0.0L);
    return result;
  }

  /// The same for a plain sum.
  template <class Term>
  static truth of_sum(exact_row const& z, exact_row const& t, setting const& s, Term term) {
    auto const terms = [&](long double p, long double log_p, long double q, long double log_q) {
      return std::array<naive_summand, 1>{term(p, log_p, q, log_q)};
    };
    auto const outcome = [](std::array<naive_summand, 1> const& sums) {
      return naive_outcome<1>{sums[0].value, {1}};
    };
    return of_sums(z, t, s, terms, outcome);
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

/// A setting with one or two parameters of a divergence.
struct parameter_setting : setting {
  double first = 0, second = 0;

  parameter_setting(double the_temperature, double the_first, double the_second = 0, bool with_square = true)
      : first(the_first), second(the_second) {
    temperature = the_temperature;
    squared = with_square;
    label = "T=" + std::to_string(temperature) + (squared ? "" : " without T^2") + ", parameters " +
            std::to_string(first) + ", " + std::to_string(second);
  }
};

/// The same with parameters: `Case::parameters(s)` gives the loss's own options, and `Case::settings()` has them.
template <auto const& loss, class Case>
struct parametric_case : divergence_case<loss> {
  template <class Setting>
  static auto options(Setting const& s, row_options const& rows, std::span<double> slope, bool accumulate) {
    auto result = Case::parameters(s);
    result.temperature = s.temperature;
    result.scale_by_temperature_squared = s.squared;
    result.rows = rows;
    result.accumulate = accumulate;
    result.temperature_gradient = slope;
    return result;
  }
  template <class Policy, class Batch, class Setting>
  static loss_value value(Policy policy, Batch const& b, Setting const& s, row_options const& rows,
                          std::span<double> slope = {}) {
    return loss(policy, b.student.view(), b.teacher.view(), options(s, rows, slope, false));
  }
  template <class Policy, class Batch, class Gradient, class Setting>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient, Setting const& s,
                              row_options const& rows, bool accumulate = false,
                              std::span<double> slope = {}) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                          options(s, rows, slope, accumulate));
  }
};

}  // namespace distil::testing
