#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "distil/schedule/learned_state.hpp"

namespace distil::schedule {

/// How the uncertainty s of a loss L enters the sum.
enum class uncertainty_form {
  regression,      ///< e^-s L / 2 + s / 2 with s = log sigma^2: a Gaussian's, for squares
  classification,  ///< e^-s L + s / 2: a softmax scaled by 1 / sigma^2, for cross entropies and divergences
  positive         ///< e^-s L / 2 + log(1 + e^s) / 2: the price never falls below 0 (Liebel and Koerner 2018)
};

struct uncertainty_options {
  /// Of every loss. Default: that of cross entropies.
  uncertainty_form form = uncertainty_form::classification;

  /// Log variances stay within [-bound, bound], so that no weight leaves the range of numbers; finite and > 0. Default 10.
  double bound = 10;

  descent_options descent = {.learning_rate = 0.01};
};

/// Weights of several losses by what is uncertain in each, learned together with the student: sum_i of the form of s_i and L_i,
/// whose minimum over s_i is at sigma_i^2 = L_i (regression) or 2 L_i (classification), so that large losses count less.
///
///     schedule::uncertainty_weighting balance(2);
///     auto const objective = fuse(balance.weight(0) * cross_entropy.term(labels), balance.weight(1) * forward_kl.term(teacher));
///     auto const found = objective.with_grad(student, gradient);
///     balance.step(std::array<double, 2>{found.terms[0], found.terms[1]});   // losses without their weights
///
/// A loss that is not finite leaves its own variance alone. Between steps it is a constant to the student. Source: Kendall, Gal
/// and Cipolla 2018, arXiv:1705.07115, equations 7 and 10; `positive` as in Liebel and Koerner 2018, arXiv:1805.06334.
class uncertainty_weighting {
 public:
  /// All log variances begin at 0. Throws std::invalid_argument unless there is a loss and the options are in their ranges.
  explicit uncertainty_weighting(std::size_t losses, uncertainty_options const& options = {})
      : options_(options), states_(losses) {
    distil::detail::require(losses >= 1, where, "losses", losses, "at least 1");
    detail::positive(where, "bound", options.bound);
    detail::require_descent(where, options.descent);
  }

  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] double log_variance(std::size_t loss) const { return states_[loss].parameter; }

  /// What multiplies a loss.
  [[nodiscard]] double weight(std::size_t loss) const { return share() * std::exp(-states_[loss].parameter); }

  /// The weighted losses and the price of their uncertainties.
  [[nodiscard]] double total(std::span<double const> losses) const {
    require_losses(losses);
    double sum = 0.0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      double const s = states_[i].parameter;
      sum += weight(i) * losses[i] + 0.5 * (is_positive() ? softplus(s) : s);
    }
    return sum;
  }

  /// The derivative of the total by a log variance, for an optimizer of your own.
  [[nodiscard]] double gradient(std::size_t loss, double value) const {
    double const s = states_[loss].parameter;
    return -weight(loss) * value + (is_positive() ? 0.5 / (1.0 + std::exp(-s)) : 0.5);
  }

  /// One step down for every loss that is finite.
  void step(std::span<double const> losses) {
    require_losses(losses);
    for (std::size_t i = 0; i < losses.size(); ++i) {
      detail::descend(states_[i], gradient(i, losses[i]), options_.descent);
      double& s = states_[i].parameter;
      if (std::abs(s) > options_.bound) states_[i] = {std::copysign(options_.bound, s), 0.0};
    }
  }

  /// All that the steps have left behind, one for each loss; `learned_state` has a text.
  [[nodiscard]] std::vector<learned_state> const& save() const { return states_; }

  /// Throws std::invalid_argument, and keeps the present state, when the saved one cannot come from these options.
  void restore(std::span<learned_state const> states) {
    constexpr auto here = "schedule::uncertainty_weighting::restore";
    distil::detail::require(states.size() == states_.size(), here, "number of states", states.size(),
                            [&] { return distil::detail::said(states_.size(), ", as there are losses"); });
    for (learned_state const& each : states) {
      detail::require_finite(here, each);
      detail::require(std::abs(each.parameter) <= options_.bound, here, "parameter", each.parameter,
                      "within [-bound, bound]");
    }
    states_.assign(states.begin(), states.end());
  }

 private:
  static constexpr auto where = "schedule::uncertainty_weighting";

  [[nodiscard]] bool is_positive() const { return options_.form == uncertainty_form::positive; }
  [[nodiscard]] double share() const { return options_.form == uncertainty_form::classification ? 1.0 : 0.5; }
  static double softplus(double s) { return std::max(s, 0.0) + std::log1p(std::exp(-std::abs(s))); }
  void require_losses(std::span<double const> losses) const {
    distil::detail::require(losses.size() == states_.size(), where, "number of losses", losses.size(),
                            [&] { return distil::detail::said(states_.size(), ", as at the beginning"); });
  }

  uncertainty_options options_;
  std::vector<learned_state> states_;
};

}  // namespace distil::schedule
