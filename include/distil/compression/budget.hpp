#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "distil/core/number_checks.hpp"

/// What a network would cost, as a number that its architecture can learn from: latency, memory or energy, from a table of
/// measured costs.
namespace distil {

/// The expected cost of a choice between operations: sum_i softmax(a)_i c_i over the architecture's parameters a, and its gradient
/// by them, p_i (c_i - sum p c), overwritten; `gradient` may be empty. Throws std::invalid_argument unless there are as many costs
/// as parameters, at least one, and costs are finite and >= 0; nothing is written then. Source: Cai et al. 2019,
/// arXiv:1812.00332 (ProxylessNAS), equation 5.
inline double expected_cost(std::span<double const> parameters, std::span<double const> costs,
                            std::span<double> gradient = {}) {
  constexpr char const* where = "expected_cost";
  detail::require(!parameters.empty(), where, "number of parameters", parameters.size(), "at least 1");
  detail::require(costs.size() == parameters.size(), where, "number of costs", costs.size(),
                  [&] { return detail::said(parameters.size(), ", as there are parameters"); });
  detail::require(gradient.empty() || gradient.size() == parameters.size(), where, "size of the gradient",
                  gradient.size(),
                  [&] { return detail::said(parameters.size(), ", as there are parameters, or 0"); });
  for (double const cost : costs)
    detail::require(detail::is_weight(cost), where, "cost", cost, detail::must_be_weight);
  double const top = *std::max_element(parameters.begin(), parameters.end());
  double sum = 0.0, mean = 0.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    double const e = std::exp(parameters[i] - top);
    sum += e;
    mean += e * costs[i];
  }
  mean /= sum;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = std::exp(parameters[i] - top) / sum * (costs[i] - mean);
  }
  return mean;
}

/// Costs by a size, such as the channels of a layer: straight lines between what was measured, and the nearest beyond.
class cost_table {
 public:
  struct entry {
    double size, cost;
  };

  /// Throws std::invalid_argument unless there is an entry, sizes rise, and costs are finite and >= 0.
  explicit cost_table(std::vector<entry> entries) : entries_(std::move(entries)) {
    constexpr char const* where = "cost_table";
    detail::require(!entries_.empty(), where, "number of entries", entries_.size(), "at least 1");
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      detail::require(std::isfinite(entries_[i].size) && (i == 0 || entries_[i].size > entries_[i - 1].size),
                      where, "size", entries_[i].size, "finite and above the one before");
      detail::require(detail::is_weight(entries_[i].cost), where, "cost", entries_[i].cost,
                      detail::must_be_weight);
    }
  }

  struct found {
    double cost, slope;  ///< and its derivative by the size, that on the right at an entry; 0 beyond the ends
  };
  [[nodiscard]] found at(double size) const {
    if (!(size >= entries_.front().size)) return {std::isnan(size) ? size : entries_.front().cost, 0.0};
    if (size >= entries_.back().size) return {entries_.back().cost, 0.0};
    auto const above = std::upper_bound(entries_.begin(), entries_.end(), size,
                                        [](double value, entry const& each) { return value < each.size; });
    entry const &low = *(above - 1), &high = *above;
    double const slope = (high.cost - low.cost) / (high.size - low.size);
    return {low.cost + slope * (size - low.size), slope};
  }

 private:
  std::vector<entry> entries_;
};

/// What exceeding a budget is made of.
enum class budget_form {
  excess,     ///< weight max(0, cost / budget - 1)^power: nothing within the budget
  power_law,  ///< weight (cost / budget)^power, which also rewards what costs less: MnasNet's factor, as a sum
  logarithm   ///< weight log(cost / budget)^power where the cost is above, else 0: FBNet's, one-sided
};

struct budget_options {
  double budget = 1;  ///< finite and > 0, in the unit of the costs
  budget_form form = budget_form::excess;
  double power = 2;   ///< finite and >= 1
  double weight = 1;  ///< finite and >= 0
};

/// A loss of a cost, and its derivative by the cost: times that of the cost by the parameters it is the gradient that they add to
/// the student's. Sums over layers are costs.
struct budget_value {
  double value, slope;
};

/// A cost that is not finite, or negative, gives NaN. Throws std::invalid_argument when an option is refused. Sources: Tan et al.
/// 2019, arXiv:1807.11626 (power law); Wu et al. 2019, arXiv:1812.03443 (FBNet, a factor alpha log(cost)^beta of the loss).
inline budget_value budget_loss(double cost, budget_options const& options) {
  constexpr char const* where = "budget_loss";
  detail::require(detail::is_positive(options.budget), where, "budget", options.budget,
                  detail::must_be_positive);
  detail::require(std::isfinite(options.power) && options.power >= 1.0, where, "power", options.power,
                  "finite and >= 1");
  detail::require(detail::is_weight(options.weight), where, "weight", options.weight, detail::must_be_weight);
  if (!(cost >= 0.0 && std::isfinite(cost))) return {std::nan(""), std::nan("")};
  double const ratio = cost / options.budget;
  double base = ratio, inner = 1.0 / options.budget;
  if (options.form == budget_form::excess) base = ratio - 1.0;
  if (options.form == budget_form::logarithm) {
    base = std::log(ratio);
    inner = 1.0 / cost;
  }
  if (!(base > 0.0)) return {0.0, 0.0};
  return {options.weight * std::pow(base, options.power),
          options.weight * options.power * std::pow(base, options.power - 1.0) * inner};
}

}  // namespace distil
