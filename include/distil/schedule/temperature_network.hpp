#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "distil/core/number_rows.hpp"
#include "distil/core/random_stream.hpp"
#include "distil/core/text.hpp"
#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

/// What the units of a hidden layer do.
enum class hidden_unit { tanh, relu };

/// How the last layer's number o becomes a temperature between bounds.
enum class temperature_bounds {
  /// minimum + (maximum - minimum) / (1 + e^-o), as in CTKD: learns ever slower towards either bound.
  sigmoid,
  /// minimum + log(1 + e^o), cut off at the maximum: a step is an amount of temperature, whatever the maximum. Derivatives
  /// that would raise what is cut off are taken for 0, those that lower it go through, so that it comes back.
  softplus
};

/// What a temperature network is, and how it learns.
struct temperature_network_options {
  index hidden = 0;  ///< units of the hidden layer; 0 is a linear network; >= 0
  hidden_unit unit = hidden_unit::tanh;
  temperature_bounds bounds = temperature_bounds::sigmoid;
  double minimum = 1;      ///< no temperature is below; > 0
  double maximum = 20;     ///< nor above; finite
  double start = 4;        ///< what every sample gets before the first step; between both
  std::uint64_t seed = 0;  ///< of the hidden layer's weights
  descent_options descent = {.learning_rate = 0.01};
};

/// A temperature for each sample from its features, learned through the losses' derivative by each row's temperature: samples
/// that a network can tell apart get temperatures of their own.
///
///     T = bounds(w . h + b),   h = x, or unit(V x + a) with a hidden layer
///
///     schedule::temperature_network network(inputs, {.hidden = 8});
///     std::vector<double> temperatures(rows), by_temperature(rows);
///     network.forward(features, temperatures);
///     double const loss = hinton_kd.with_grad(student, teacher, labels, gradient,
///                                             {.temperature = temperatures, .temperature_gradient = by_temperature});
///     for (double& each : by_temperature) each = -each;     // as CTKD: against the loss. Without, along with the student
///     network.step(features, by_temperature);
///
/// Descending any divergence softens both sides to the maximum, and T^2 pulls the other way: see `learnable_temperature`, and
/// ascend (CTKD) or regularise. The last layer begins at 0, so that all temperatures are `start`. Features are of any type, rows
/// x inputs, and best of mean 0 and deviation 1; NaN makes a temperature NaN, which losses refuse. A step with a derivative that
/// is not finite changes nothing. The parameters are one flat vector, for an optimizer of your own: w, b, and with a hidden
/// layer V row by row, a. Cost: inputs x hidden multiplications a row, in double.
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
    double const above = options.start - options.minimum;
    parameters_[offset_of_hidden() - 1] = options.bounds == temperature_bounds::sigmoid
                                              ? std::log(above / (options.maximum - options.start))
                                              : above + std::log(-std::expm1(-above));
    random_stream random(options.seed);
    // Keeps the size of what goes through: relu lets half of it pass.
    double const deviation =
        std::sqrt((options.unit == hidden_unit::relu ? 2.0 : 1.0) / static_cast<double>(inputs));
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
      temperatures[row] = temperature_at(output_of(features, row, x, h));
    }
  }

  /// The gradient by the parameters, overwritten, from the derivatives of a loss by the temperatures of the rows; and by the
  /// features, rows x inputs, where a place for it is given.
  void backward(number_matrix const& features, std::span<double const> by_temperature,
                std::span<double> gradient, std::span<double> by_features = {}) const {
    require_rows("derivatives", features, by_temperature.size());
    distil::detail::require(
        gradient.size() == parameters_.size(), where, "size of the gradient", gradient.size(),
        [&] { return distil::detail::said(parameters_.size(), ", that of the parameters"); });
    std::vector<double> x(static_cast<std::size_t>(inputs_)), h(units());
    distil::detail::require(by_features.empty() || by_features.size() == by_temperature.size() * x.size(),
                            where, "size of the gradient by features", by_features.size(), [&] {
                              return distil::detail::said(by_temperature.size() * x.size(),
                                                          ", that of the features, or 0");
                            });
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::fill(by_features.begin(), by_features.end(), 0.0);
    for (std::size_t row = 0; row < by_temperature.size(); ++row) {
      double const slope = by_output(by_temperature[row], output_of(features, row, x, h));
      double* const by_x = by_features.empty() ? nullptr : &by_features[row * x.size()];
      for (std::size_t i = 0; i < h.size(); ++i) gradient[i] += slope * h[i];
      gradient[h.size()] += slope;
      if (options_.hidden == 0) {
        for (std::size_t i = 0; i < x.size() && by_x != nullptr; ++i) by_x[i] = slope * parameters_[i];
        continue;
      }
      for (std::size_t u = 0; u < h.size(); ++u) {
        double const of_unit = slope * parameters_[u] * unit_slope(h[u]);
        std::size_t const first = offset_of_hidden() + u * x.size();
        for (std::size_t i = 0; i < x.size(); ++i) {
          gradient[first + i] += of_unit * x[i];
          if (by_x != nullptr) by_x[i] += of_unit * parameters_[first + i];
        }
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
    return distil::detail::said("inputs=", inputs_, " hidden=", options_.hidden,
                                " parameters=", distil::detail::list_text(parameters_),
                                " velocities=", distil::detail::list_text(velocities_));
  }

  /// Continues from such a line; the options are not part of it, but for the sizes. Throws std::invalid_argument, and keeps
  /// the present state, on any other text and on that of a network of other sizes.
  void restore(std::string_view text) {
    constexpr auto here = "schedule::temperature_network::restore";
    distil::detail::field_reader fields(here, text, "inputs=... hidden=... parameters=... velocities=...");
    index const inputs = fields.integer("inputs"), hidden = fields.integer("hidden");
    distil::detail::require(inputs == inputs_, here, "inputs", inputs,
                            [&] { return distil::detail::said(inputs_, ", as of this network"); });
    distil::detail::require(hidden == options_.hidden, here, "hidden", hidden,
                            [&] { return distil::detail::said(options_.hidden, ", as of this network"); });
    std::vector<double> parameters, velocities;
    auto const read = [&](char const* name, std::vector<double>& list) {
      fields.numbers(name, [&](double number) { list.push_back(detail::finite(here, name, number)); });
      distil::detail::require(
          list.size() == parameters_.size(), here, distil::detail::said("number of ", name), list.size(),
          [&] { return distil::detail::said(parameters_.size(), ", as of this network"); });
    };
    read("parameters", parameters);
    read("velocities", velocities);
    fields.end();
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

  /// w . h + b; leaves the inputs and h.
  double output_of(number_matrix const& features, std::size_t row, std::vector<double>& x,
                   std::vector<double>& h) const {
    distil::detail::read_row(features, static_cast<index>(row), x.data());
    if (options_.hidden == 0) {
      h = x;
    } else {
      for (std::size_t u = 0; u < h.size(); ++u) {
        double sum = parameters_[offset_of_hidden() + h.size() * x.size() + u];
        double const* const weights = &parameters_[offset_of_hidden() + u * x.size()];
        for (std::size_t i = 0; i < x.size(); ++i) sum += weights[i] * x[i];
        h[u] = options_.unit == hidden_unit::tanh ? std::tanh(sum) : sum < 0.0 ? 0.0 : sum;  // NaN stays
      }
    }
    double sum = parameters_[h.size()];
    for (std::size_t i = 0; i < h.size(); ++i) sum += parameters_[i] * h[i];
    return sum;
  }

  /// Of a hidden unit, by what it gives.
  [[nodiscard]] double unit_slope(double h) const {
    return options_.unit == hidden_unit::tanh ? 1.0 - h * h : h > 0.0 ? 1.0 : 0.0;
  }

  /// 1 / (1 + e^-o), by an exponential that cannot overflow.
  static double sigmoid(double o) {
    double const falling = std::exp(-std::abs(o));
    return (o < 0.0 ? falling : 1.0) / (1.0 + falling);
  }

  [[nodiscard]] double temperature_at(double o) const {
    double const above = options_.bounds == temperature_bounds::sigmoid
                             ? (options_.maximum - options_.minimum) * sigmoid(o)
                             : (o < 0.0 ? 0.0 : o) + std::log1p(std::exp(-std::abs(o)));
    return std::clamp(options_.minimum + above, options_.minimum, options_.maximum);
  }

  /// dL/do from dL/dT.
  [[nodiscard]] double by_output(double by_temperature, double o) const {
    if (options_.bounds == temperature_bounds::sigmoid)
      return by_temperature * (options_.maximum - options_.minimum) * sigmoid(o) * sigmoid(-o);
    bool const leaves = temperature_at(o) == options_.maximum && by_temperature < 0.0;
    return leaves ? 0.0 : by_temperature * sigmoid(o);
  }

  temperature_network_options options_;
  index inputs_;
  std::vector<double> parameters_, velocities_;
};

}  // namespace distil::schedule
