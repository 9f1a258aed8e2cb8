#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distil/core/number_rows.hpp"
#include "distil/core/random_stream.hpp"
#include "distil/core/text.hpp"
#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

struct temperature_network_options {
  index hidden = 0;        ///< units of the hidden layer, of tanh; 0 is a linear network; >= 0
  double minimum = 1;      ///< temperatures lie above it; > 0
  double maximum = 20;     ///< and below; finite
  double start = 4;        ///< what every sample gets before the first step; between both
  std::uint64_t seed = 0;  ///< of the hidden layer's weights
  descent_options descent = {.learning_rate = 0.01};
};

/// A temperature for each sample from its features, learned through the losses' derivative by each row's temperature: samples
/// that a network can tell apart get temperatures of their own.
///
///     T = minimum + (maximum - minimum) sigmoid(w . h + b),   h = x, or tanh(V x + a) with a hidden layer
///
///     schedule::temperature_network network(features.cols(), {.hidden = 8});
///     std::vector<double> temperatures(rows), by_temperature(rows);
///     network.forward(features, temperatures);
///     hinton_kd.with_grad(student, teacher, labels, gradient, {.temperature = temperatures,
///                                                              .temperature_gradient = by_temperature});
///     network.step(features, by_temperature);               // against the loss: hand in the negated derivatives
///
/// Descending any divergence softens both sides to the maximum, and T^2 pulls the other way: see `learnable_temperature`, and
/// ascend (CTKD) or regularise. The last layer begins at 0, so that all temperatures are `start`. Features are of any type, rows
/// x inputs: what is known of a sample, not what the gradient flows through; NaN makes a temperature NaN, which losses refuse.
/// A step with a derivative that is not finite changes nothing. The parameters are one flat vector, for an optimizer of your
/// own: w, b, and with a hidden layer V row by row, a. Cost: inputs x hidden multiplications a row, in double.
/// Source: Li et al. 2023, arXiv:2211.16231 (CTKD's instance-wise module, which is larger).
class temperature_network {
 public:
  /// Throws std::invalid_argument unless there is an input and the options are in their ranges.
  explicit temperature_network(index inputs, temperature_network_options const& options = {})
      : options_(options), inputs_(inputs) {
    distil::detail::require(inputs >= 1, where, "inputs", inputs, "at least 1");
    distil::detail::require(options.hidden >= 0, where, "hidden", options.hidden, ">= 0");
    detail::positive(where, "minimum", options.minimum);
    detail::finite(where, "maximum", options.maximum);
    detail::require(options.start > options.minimum && options.start < options.maximum, where, "start",
                    options.start, "between minimum and maximum");
    detail::require_descent(where, options.descent);
    parameters_.assign(offset_of_hidden() + static_cast<std::size_t>(options.hidden * (inputs + 1)), 0.0);
    velocities_.assign(parameters_.size(), 0.0);
    double const share = (options.start - options.minimum) / (options.maximum - options.minimum);
    parameters_[offset_of_hidden() - 1] = std::log(share / (1.0 - share));
    random_stream random(options.seed);
    double const deviation = 1.0 / std::sqrt(static_cast<double>(inputs));
    for (index i = 0; i < options.hidden * inputs; ++i) {
      parameters_[offset_of_hidden() + static_cast<std::size_t>(i)] = deviation * random.normal();
    }
  }

  [[nodiscard]] std::span<double> parameters() { return parameters_; }
  [[nodiscard]] std::span<double const> parameters() const { return parameters_; }

  /// The temperature of each row of features.
  void forward(number_matrix const& features, std::span<double> temperatures) const {
    require_rows("temperatures", features, temperatures.size());
    std::vector<double> x(static_cast<std::size_t>(inputs_)), h(units());
    for (std::size_t row = 0; row < temperatures.size(); ++row) {
      temperatures[row] =
          options_.minimum + (options_.maximum - options_.minimum) * share_of(features, row, x, h);
    }
  }

  /// The gradient by the parameters, overwritten, from the derivatives of a loss by the temperatures of the rows.
  void backward(number_matrix const& features, std::span<double const> by_temperature,
                std::span<double> gradient) const {
    require_rows("derivatives", features, by_temperature.size());
    distil::detail::require(
        gradient.size() == parameters_.size(), where, "size of the gradient", gradient.size(),
        [&] { return distil::detail::said(parameters_.size(), ", that of the parameters"); });
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::vector<double> x(static_cast<std::size_t>(inputs_)), h(units());
    for (std::size_t row = 0; row < by_temperature.size(); ++row) {
      double const share = share_of(features, row, x, h);
      double const slope =
          by_temperature[row] * (options_.maximum - options_.minimum) * share * (1.0 - share);
      for (std::size_t i = 0; i < h.size(); ++i) gradient[i] += slope * h[i];
      gradient[h.size()] += slope;
      if (options_.hidden == 0) continue;
      for (std::size_t u = 0; u < h.size(); ++u) {
        double const of_unit = slope * parameters_[u] * (1.0 - h[u] * h[u]);
        double* const weights = &gradient[offset_of_hidden() + u * x.size()];
        for (std::size_t i = 0; i < x.size(); ++i) weights[i] += of_unit * x[i];
        gradient[offset_of_hidden() + h.size() * x.size() + u] += of_unit;
      }
    }
  }

  /// One step down, along the gradient from these derivatives.
  void step(number_matrix const& features, std::span<double const> by_temperature) {
    std::vector<double> gradient(parameters_.size());
    backward(features, by_temperature, gradient);
    if (!std::all_of(gradient.begin(), gradient.end(), [](double g) { return detail::is_finite(g); })) return;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      learned_state one{parameters_[i], velocities_[i]};
      detail::descend(one, gradient[i], options_.descent);
      parameters_[i] = one.parameter;
      velocities_[i] = one.velocity;
    }
  }

  /// One line for a checkpoint.
  [[nodiscard]] std::string to_text() const {
    return distil::detail::said("parameters=", distil::detail::list_text(parameters_),
                                " velocities=", distil::detail::list_text(velocities_));
  }

  /// Continues from such a line. Throws std::invalid_argument, and keeps the present state, on any other text and on that of a
  /// network of another size.
  void restore(std::string_view text) {
    constexpr auto here = "schedule::temperature_network::restore";
    distil::detail::field_reader fields(here, text, "parameters=... velocities=...");
    std::vector<double> parameters, velocities;
    auto const into = [&](std::vector<double>& list) {
      return [&list](double number) { list.push_back(detail::finite(here, "number", number)); };
    };
    fields.numbers("parameters", into(parameters));
    fields.numbers("velocities", into(velocities));
    fields.end();
    distil::detail::require(
        parameters.size() == parameters_.size() && velocities.size() == parameters_.size(), here,
        "number of parameters", parameters.size(),
        [&] { return distil::detail::said(parameters_.size(), ", as of this network"); });
    parameters_ = std::move(parameters);
    velocities_ = std::move(velocities);
  }

 private:
  static constexpr auto where = "schedule::temperature_network";

  /// What the last layer sees.
  [[nodiscard]] std::size_t units() const {
    return static_cast<std::size_t>(options_.hidden > 0 ? options_.hidden : inputs_);
  }
  [[nodiscard]] std::size_t offset_of_hidden() const { return units() + 1; }

  void require_rows(char const* argument, number_matrix const& features, std::size_t rows) const {
    distil::detail::require(
        features.given() && features.extent().columns == inputs_ &&
            features.extent().rows == static_cast<index>(rows),
        where, "features",
        [&] { return distil::detail::shape_text(features.extent().rows, features.extent().columns); },
        [&] { return distil::detail::said(rows, " x ", inputs_, ", a row for each of the ", argument); });
  }

  /// sigmoid(w . h + b); leaves the inputs and h.
  double share_of(number_matrix const& features, std::size_t row, std::vector<double>& x,
                  std::vector<double>& h) const {
    distil::detail::read_row(features, static_cast<index>(row), x.data());
    if (options_.hidden == 0) {
      h = x;
    } else {
      for (std::size_t u = 0; u < h.size(); ++u) {
        double sum = parameters_[offset_of_hidden() + h.size() * x.size() + u];
        double const* const weights = &parameters_[offset_of_hidden() + u * x.size()];
        for (std::size_t i = 0; i < x.size(); ++i) sum += weights[i] * x[i];
        h[u] = std::tanh(sum);
      }
    }
    double sum = parameters_[h.size()];
    for (std::size_t i = 0; i < h.size(); ++i) sum += parameters_[i] * h[i];
    return 1.0 / (1.0 + std::exp(-sum));
  }

  temperature_network_options options_;
  index inputs_;
  std::vector<double> parameters_, velocities_;
};

}  // namespace distil::schedule
