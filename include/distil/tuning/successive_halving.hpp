#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distil/tuning/trials.hpp"

namespace distil::tuning {

struct successive_halving_options {
  goal wanted = goal::minimise;
  std::int64_t first_rung =
      1;  ///< epochs, or whatever a trial spends, at which trials are first compared; at least 1
  std::int64_t factor = 3;      ///< from rung to rung, and of how many one goes on; at least 2
  std::int64_t last_rung = 27;  ///< what a trial gets at most; at least the first
};

/// Stops bad trials early: at each rung one of `factor` goes on, so that as much is spent on each rung.
///
///     tuning::successive_halving halving({.last_rung = 27});      // rungs at 1, 3, 9, 27 epochs
///     for (epoch...) {
///       if (halving.is_rung(epoch) && halving.stops(trial, epoch, metric)) break;
///     }
///
/// It decides as trials arrive, with those that have reached the rung before (ASHA): a trial goes on when it is among the best
/// floor(n / factor) of the n that have, and while n < factor, the best of them. So early trials may go on that a complete rung
/// would have stopped. A metric that is not finite stops. State is the record of metrics by rung: report them again in their
/// order to resume. Sources: Karnin et al. 2013; Jamieson and Talwalkar 2016; Li et al. 2018, arXiv:1810.05934.
class successive_halving {
 public:
  /// Throws std::invalid_argument unless the options are in their ranges.
  explicit successive_halving(successive_halving_options const& options = {}) : options_(options) {
    constexpr char const* where = "tuning::successive_halving";
    detail::require(options.first_rung >= 1, where, "first_rung", options.first_rung, "at least 1");
    detail::require(options.factor >= 2, where, "factor", options.factor, "at least 2");
    detail::require(options.last_rung >= options.first_rung, where, "last_rung", options.last_rung,
                    "at least first_rung");
    for (std::int64_t spent = options.first_rung; spent <= options.last_rung; spent *= options.factor) {
      rungs_.push_back({spent, {}});
    }
  }

  [[nodiscard]] bool is_rung(std::int64_t spent) const { return find(spent) < rungs_.size(); }

  /// The metric of a trial at a rung; whether it should stop there. At the last rung none does. Throws std::invalid_argument for
  /// what is no rung, and for a trial that was there before.
  bool stops(std::int64_t trial_id, std::int64_t spent, double metric) {
    constexpr char const* where = "tuning::successive_halving::stops";
    std::size_t const place = find(spent);
    detail::require(place < rungs_.size(), where, "spent", spent, "a rung");
    std::vector<trial>& seen = rungs_[place].seen;
    bool const is_new =
        std::none_of(seen.begin(), seen.end(), [&](trial const& each) { return each.id == trial_id; });
    detail::require(is_new, where, "trial", trial_id, "one that was not at this rung before");
    seen.push_back({trial_id, {}, metric});
    if (place + 1 == rungs_.size()) return false;
    auto const places = std::max<std::int64_t>(1, static_cast<std::int64_t>(seen.size()) / options_.factor);
    auto const ahead = std::count_if(seen.begin(), seen.end(), [&](trial const& each) {
      return is_better(each.metric, metric, options_.wanted);
    });
    return !std::isfinite(metric) || ahead >= places;
  }

 private:
  struct rung {
    std::int64_t spent;
    std::vector<trial> seen;
  };
  [[nodiscard]] std::size_t find(std::int64_t spent) const {
    auto const found =
        std::find_if(rungs_.begin(), rungs_.end(), [&](rung const& each) { return each.spent == spent; });
    return static_cast<std::size_t>(found - rungs_.begin());
  }

  successive_halving_options options_;
  std::vector<rung> rungs_;
};

}  // namespace distil::tuning
