#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "distil/core/contract.hpp"

namespace distil {

struct pruning_schedule_options {
  double initial_sparsity = 0;  ///< before the first step of pruning; within [0, 1]
  double final_sparsity = 0.5;  ///< from the last one on; within [0, 1], at least the initial one
  std::int64_t begin = 0;       ///< the step at which pruning begins; >= 0
  std::int64_t end = 1000;      ///< and at which the final sparsity is reached; after `begin`
  std::int64_t every = 100;     ///< steps from one pruning to the next, in which the network recovers; >= 1
};

/// How much of a network is pruned at each step: fast at first, while there is much to spare, and slower towards the end.
///
///     sparsity = final + (initial - final) (1 - (t - begin) / (end - begin))^3, held between prunings
///
///     pruning_schedule const sparsity({.final_sparsity = 0.8, .end = 2000, .every = 200});
///     if (sparsity.is_due(step)) prune(kept_channels(scores, sparsity.at(step)));    // then learn from the teacher again
///
/// It answers `at(step)`, so it is a schedule to `distil::schedule`, too. Source: Zhu and Gupta 2017, arXiv:1710.01878, equation 1.
class pruning_schedule {
 public:
  /// Throws std::invalid_argument unless the options are in their ranges.
  explicit pruning_schedule(pruning_schedule_options const& options = {}) : options_(options) {
    auto const check = [](bool holds, char const* argument, auto was, char const* must_be) {
      detail::require(holds, "pruning_schedule", argument, was, must_be);
    };
    check(options.initial_sparsity >= 0 && options.initial_sparsity <= 1, "initial_sparsity",
          options.initial_sparsity, "within [0, 1]");
    check(options.final_sparsity >= options.initial_sparsity && options.final_sparsity <= 1, "final_sparsity",
          options.final_sparsity, "within [initial_sparsity, 1]");
    check(options.begin >= 0, "begin", options.begin, "0 or more steps");
    check(options.end > options.begin, "end", options.end, "after begin");
    check(options.every >= 1, "every", options.every, "at least 1 step");
  }

  /// The sparsity at a step, which may be a fraction; NaN is refused.
  [[nodiscard]] double at(double step) const {
    detail::require(step == step, "pruning_schedule", "step", step, "a number of steps, counted from 0");
    auto const begin = static_cast<double>(options_.begin),
               length = static_cast<double>(options_.end) - begin;
    if (step < begin) return options_.initial_sparsity;
    if (step >= begin + length) return options_.final_sparsity;
    auto const every = static_cast<double>(options_.every);
    double const left = 1.0 - std::floor((step - begin) / every) * every / length;
    return options_.final_sparsity +
           (options_.initial_sparsity - options_.final_sparsity) * left * left * left;
  }

  /// Whether the network is pruned at this step: at `begin`, every so many steps after it, and at `end`.
  [[nodiscard]] bool is_due(std::int64_t step) const {
    if (step < options_.begin || step > options_.end) return false;
    return step == options_.end || (step - options_.begin) % options_.every == 0;
  }

 private:
  pruning_schedule_options options_;
};

}  // namespace distil
