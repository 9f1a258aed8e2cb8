#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "distil/core/number_checks.hpp"
#include "distil/core/text.hpp"

namespace distil {

struct learned_step_options {
  int bits = 4;  ///< within [2, 8]
  bool is_signed =
      true;  ///< codes -2^(bits - 1) to 2^(bits - 1) - 1; false: 0 to 2^bits - 1, for activations after a ReLU
  double learning_rate = 0.01;  ///< of `descend`; finite and > 0
  double momentum = 0.9;        ///< within [0, 1)
};

/// All that a `learned_step_size` has learned.
struct learned_step_state {
  double step = 0;
  double velocity = 0;

  friend bool operator==(learned_step_state const&, learned_step_state const&) = default;
};

inline std::string to_text(learned_step_state const& state) {
  return detail::said("step=", state.step, " velocity=", state.velocity);
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline learned_step_state learned_step_state_from(std::string_view text) {
  detail::field_reader fields("learned_step_state_from", text, "step=... velocity=...");
  learned_step_state state;
  state.step = fields.number("step");
  state.velocity = fields.number("velocity");
  fields.end();
  return state;
}

/// Fake quantisation whose step is learned with the network, one for a tensor: of several rows or channels there are several.
/// @alias LSQ
///
///     rounded = round(clamp(v / s, -Q_n, Q_p)) s
///     d rounded / dv = 1 within the clamp, 0 outside
///     d rounded / ds = round(v / s) - v / s within, -Q_n or Q_p outside
///
///     learned_step_size step(weights);                              // begins at 2 mean |v| / sqrt(Q_p)
///     step.round(weights, rounded);
///     double const by_step = step.pull_back(weights, gradient, gradient_of_weights);
///     step.descend(by_step);
///
/// `pull_back` gives the derivative by the step times 1 / sqrt(N Q_p), the paper's gradient scale, so that steps and weights may
/// share a learning rate. The step stays positive: a descent that would end at or below 0 halves it. NaN stays NaN and makes the
/// derivative NaN, which moves nothing. Source: Esser et al. 2020, arXiv:1902.08153, equations 1 to 5.
class learned_step_size {
 public:
  /// From the numbers that will be rounded. Throws std::invalid_argument unless the options are in their ranges and some finite
  /// number is not 0.
  template <class T>
  explicit learned_step_size(matrix_view<T const> numbers, learned_step_options const& options = {})
      : learned_step_size(options) {
    detail::require_matrix(where, "numbers", numbers);
    double sum = 0.0, count = 0.0;
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        auto const number = static_cast<double>(numbers(row, column));
        if (!std::isfinite(number)) continue;
        sum += std::abs(number);
        count += 1.0;
      }
    }
    detail::require(sum > 0.0, where, "numbers", "all 0, or not finite", "some that are not 0");
    state_.step = 2.0 * sum / count / std::sqrt(static_cast<double>(most()));
  }
  template <class T>
  explicit learned_step_size(matrix_view<T> numbers, learned_step_options const& options = {})
      : learned_step_size(matrix_view<T const>(numbers), options) {}

  [[nodiscard]] double step() const { return state_.step; }
  [[nodiscard]] int least() const { return options_.is_signed ? -(1 << (options_.bits - 1)) : 0; }
  [[nodiscard]] int most() const {
    return options_.is_signed ? (1 << (options_.bits - 1)) - 1 : (1 << options_.bits) - 1;
  }

  /// Throws std::invalid_argument when the shapes differ; nothing is written then. The output may be the numbers.
  void round(matrix_view<float const> numbers, matrix_view<float> to) const { rounded(numbers, to); }
  void round(matrix_view<double const> numbers, matrix_view<double> to) const { rounded(numbers, to); }

  /// From the gradient by the rounded numbers to that by the numbers, overwritten (it may be either), and the scaled derivative by
  /// the step.
  double pull_back(matrix_view<float const> numbers, matrix_view<float const> gradient,
                   matrix_view<float> to) const {
    return pulled(numbers, gradient, to);
  }
  double pull_back(matrix_view<double const> numbers, matrix_view<double const> gradient,
                   matrix_view<double> to) const {
    return pulled(numbers, gradient, to);
  }

  /// One step down with momentum; a derivative that is not finite changes nothing.
  void descend(double by_step) {
    double const velocity = options_.momentum * state_.velocity + by_step;
    double const step = state_.step - options_.learning_rate * velocity;
    if (!std::isfinite(velocity) || !std::isfinite(step)) return;
    state_ = step > 0.0 ? learned_step_state{step, velocity} : learned_step_state{0.5 * state_.step, 0.0};
  }

  [[nodiscard]] learned_step_state save() const { return state_; }
  /// Throws std::invalid_argument unless the step is finite and > 0 and the velocity finite.
  void restore(learned_step_state const& state) {
    constexpr char const* here = "learned_step_size::restore";
    detail::require(detail::is_positive(state.step), here, "step", state.step, detail::must_be_positive);
    detail::require(std::isfinite(state.velocity), here, "velocity", state.velocity, "finite");
    state_ = state;
  }

 private:
  static constexpr char const* where = "learned_step_size";

  explicit learned_step_size(learned_step_options const& options) : options_(options) {
    detail::require(options.bits >= 2 && options.bits <= 8, where, "bits", options.bits, "within [2, 8]");
    detail::require(detail::is_positive(options.learning_rate), where, "learning_rate", options.learning_rate,
                    detail::must_be_positive);
    detail::require(options.momentum >= 0.0 && options.momentum < 1.0, where, "momentum", options.momentum,
                    "within [0, 1)");
  }

  template <class T>
  void rounded(matrix_view<T const> const& numbers, matrix_view<T> const& to) const {
    detail::require_matrix(where, "numbers", numbers);
    detail::require_shape(where, "output", to, numbers.rows, numbers.columns);
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        auto const number = static_cast<double>(numbers(row, column));
        double const code = std::nearbyint(std::clamp(number / state_.step, double(least()), double(most())));
        to(row, column) = std::isnan(number) ? numbers(row, column) : static_cast<T>(code * state_.step);
      }
    }
  }

  template <class T>
  double pulled(matrix_view<T const> const& numbers, matrix_view<T const> const& gradient,
                matrix_view<T> const& to) const {
    detail::require_matrix(where, "numbers", numbers);
    detail::require_shape(where, "gradient", gradient, numbers.rows, numbers.columns);
    detail::require_shape(where, "output", to, numbers.rows, numbers.columns);
    double sum = 0.0;
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        double const place = static_cast<double>(numbers(row, column)) / state_.step;
        auto const upstream = static_cast<double>(gradient(row, column));
        bool const below = place <= least(), above = place >= most();
        sum += upstream * (below ? least() : above ? most() : std::nearbyint(place) - place);
        to(row, column) = below || above ? T(0) : gradient(row, column);
      }
    }
    double const count = static_cast<double>(numbers.rows) * static_cast<double>(numbers.columns);
    return count == 0.0 ? 0.0 : sum / std::sqrt(count * static_cast<double>(most()));
  }

  learned_step_options options_;
  learned_step_state state_;
};

}  // namespace distil
