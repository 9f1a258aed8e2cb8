#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "distil/core/random_stream.hpp"
#include "distil/tuning/gaussian_process.hpp"
#include "distil/tuning/trials.hpp"

namespace distil::tuning {

enum class search_method {
  grid,  ///< every combination of `per_parameter` values of intervals and all choices, the last parameter first
  random,   ///< independent points
  bayesian  ///< random ones first, then where a Gaussian process of what is known expects to improve most
};

struct search_options {
  search_method method = search_method::bayesian;
  goal wanted = goal::minimise;
  std::int64_t trials = 30;  ///< at most; a grid ends by itself
  std::uint64_t seed = 0;
  std::int64_t per_parameter = 4;  ///< of a grid: values of each interval, its ends among them; at least 1
  std::int64_t first_random = 8;   ///< of a Bayesian search; at least 1
  std::int64_t candidates = 1000;  ///< points whose expected improvement is compared; at least 1
};

/// A search that proposes and is told: the loop, and what a trial is, stay the user's.
///
///     tuning::search search(space, {.trials = 30, .seed = 1});
///     while (auto const next = search.next()) {
///       double const loss = train(space.number(next->at, "temperature"), space.chosen(next->at, "schedule"));
///       search.report(next->id, loss);
///       append(file, tuning::csv_line(space, search.trials().back()));
///     }
///     auto const best = search.best();
///
/// It resumes from its record: given the trials that were reported, it goes on with the numbers that are missing, exactly as if
/// it had not stopped, since the proposal of a trial is a function of its number, the seed and the reports before it alone.
/// Several trials may run at once; a Bayesian search then knows less of the others. Metrics that are not finite count as the
/// worst seen, and never reach the process.
///
/// The optimiser of the acquisition is a seeded sample of the space and of the neighbourhood of the best, refined by ever smaller
/// steps: in the few dimensions of such searches it finds what a gradient method would, gives the same on every machine, and asks
/// for no library (NLopt would be one more for these lines). Sources: Bergstra and Bengio 2012 (random); Jones et al. 1998,
/// Snoek et al. 2012 (expected improvement).
class search {
 public:
  /// Throws std::invalid_argument unless the space has a parameter, the options are in their ranges, and trials that are handed
  /// over are of the space, with different numbers.
  explicit search(search_space space, search_options const& options = {}, std::vector<trial> reported = {})
      : space_(std::move(space)), options_(options) {
    auto const check = [](std::int64_t number, char const* argument) {
      detail::require(number >= 1, where, argument, number, "at least 1");
    };
    detail::require(space_.size() >= 1, where, "number of parameters", space_.size(), "at least 1");
    check(options.trials, "trials");
    check(options.per_parameter, "per_parameter");
    check(options.first_random, "first_random");
    check(options.candidates, "candidates");
    std::sort(reported.begin(), reported.end(), [](trial const& a, trial const& b) { return a.id < b.id; });
    for (trial const& each : reported) {
      detail::require(each.id >= 0 && (trials_.empty() || each.id > trials_.back().id), where, "trial",
                      each.id, "a number that is no other's");
      detail::require(each.at.size() == space_.size(), where, "size of a point", each.at.size(),
                      [&] { return detail::said(space_.size(), ", as there are parameters"); });
      trials_.push_back(each);
    }
  }

  /// The next trial that has neither been proposed nor reported; nothing at the end. Its metric is NaN.
  [[nodiscard]] std::optional<trial> next() {
    auto const known = [&](std::int64_t id) {
      auto const is = [id](trial const& each) { return each.id == id; };
      return std::any_of(trials_.begin(), trials_.end(), is) ||
             std::any_of(running_.begin(), running_.end(), is);
    };
    while (next_ < options_.trials && known(next_)) ++next_;
    if (next_ >= options_.trials) return std::nullopt;
    std::optional<point> at = propose(next_);
    if (!at) return std::nullopt;
    running_.push_back({next_, std::move(*at)});
    ++next_;
    return running_.back();
  }

  /// What came of a proposed trial. Throws std::invalid_argument for a number that is not running.
  void report(std::int64_t id, double metric) {
    auto const found =
        std::find_if(running_.begin(), running_.end(), [id](trial const& each) { return each.id == id; });
    detail::require(found != running_.end(), where, "trial", id, "one that was proposed and not reported");
    trials_.push_back(std::move(*found));
    trials_.back().metric = metric;
    running_.erase(found);
  }

  [[nodiscard]] search_space const& space() const { return space_; }
  /// Those that were reported, in that order.
  [[nodiscard]] std::span<trial const> trials() const { return trials_; }
  [[nodiscard]] std::optional<trial> best() const { return best_of(trials_, options_.wanted); }

 private:
  static constexpr char const* where = "tuning::search";

  [[nodiscard]] std::optional<point> propose(std::int64_t id) const {
    if (options_.method == search_method::grid) return of_grid(id);
    // A stream of its own for each trial, so that none depends on how many numbers another took.
    random_stream random(
        random_stream(options_.seed ^ static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15U).bits());
    if (options_.method == search_method::bayesian && id >= options_.first_random) {
      if (auto found = of_process(id, random)) return found;
    }
    return space_.at(shares(random));
  }

  [[nodiscard]] std::vector<double> shares(random_stream& random) const {
    std::vector<double> result(space_.size());
    for (double& each : result) each = random.uniform();
    return result;
  }

  [[nodiscard]] std::optional<point> of_grid(std::int64_t id) const {
    std::vector<double> share(space_.size());
    for (std::size_t i = space_.size(); i-- > 0;) {
      parameter const& each = space_.parameters()[i];
      bool const is_interval = each.kind == parameter_kind::real || each.kind == parameter_kind::logarithmic;
      auto const whole = static_cast<std::int64_t>(each.high - each.low) + 1;
      std::int64_t const count = is_interval ? options_.per_parameter
                                 : each.kind == parameter_kind::integer
                                     ? std::min(whole, options_.per_parameter)
                                     : whole;
      auto const place = static_cast<double>(id % count), last = static_cast<double>(count - 1);
      id /= count;
      if (is_interval) {
        share[i] = count > 1 ? place / last : 0.5;
      } else {  // the middle of what floors to it
        double const value = count > 1 ? std::round(place / last * static_cast<double>(whole - 1)) : 0.0;
        share[i] = (value + 0.5) / static_cast<double>(whole);
      }
    }
    if (id > 0) return std::nullopt;
    return space_.at(share);
  }

  [[nodiscard]] std::optional<point> of_process(std::int64_t id, random_stream& random) const {
    std::vector<std::vector<double>> points;
    std::vector<double> values;
    double const sign = options_.wanted == goal::minimise ? 1.0 : -1.0;
    double worst = -std::numeric_limits<double>::infinity();
    // By number, so that the order of reports does not matter.
    std::vector<trial const*> known;
    for (trial const& each : trials_) {
      if (each.id < id) known.push_back(&each);
      if (each.id < id && std::isfinite(each.metric)) worst = std::max(worst, sign * each.metric);
    }
    if (!std::isfinite(worst)) return std::nullopt;
    std::sort(known.begin(), known.end(), [](trial const* a, trial const* b) { return a->id < b->id; });
    for (trial const* const each : known) {
      points.push_back(space_.coordinates(each->at));
      values.push_back(std::isfinite(each->metric) ? sign * each->metric : worst);
    }
    std::size_t const leader =
        static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
    double const best = values[leader];
    gaussian_process const process(std::move(points), values);
    std::vector<double> chosen = shares(random);
    double most = -1.0;
    auto const consider = [&](std::vector<double> const& share) {
      double const gain = expected_improvement(process.at(space_.coordinates(space_.at(share))), best);
      if (!(gain > most)) return;
      most = gain;
      chosen = share;
    };
    for (std::int64_t i = 0; i < options_.candidates; ++i) consider(shares(random));
    for (double reach = 0.1; reach > 1e-4; reach *= 0.7) {
      for (int i = 0; i < 8; ++i) {
        std::vector<double> near = chosen;
        for (double& each : near) each = std::clamp(each + reach * random.normal(), 0.0, 1.0);
        consider(near);
      }
    }
    return space_.at(chosen);
  }

  search_space space_;
  search_options options_;
  std::vector<trial> trials_, running_;
  std::int64_t next_ = 0;
};

}  // namespace distil::tuning
