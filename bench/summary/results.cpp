#include "summary/results.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t const half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0;
}

/// What subjects have in common that must find the same value.
std::string same_work(subject const& what) {
  std::string const form = what.form == "value" ? "gradient" : what.form;
  return what.operation + "/" + what.element + "/" + what.shape + "/" + form;
}

}  // namespace

void results::add(std::string const& name, double nanoseconds_per_element, double value, double allocations) {
  samples& all = samples_[name];
  all.nanoseconds.push_back(nanoseconds_per_element);
  all.value = value;
  all.allocations = std::max(all.allocations, allocations);
}

std::optional<double> results::nanoseconds(subject const& what) const {
  auto const found = samples_.find(what.name());
  if (found == samples_.end()) return std::nullopt;
  return median(found->second.nanoseconds);
}

std::optional<double> results::allocations(subject const& what) const {
  auto const found = samples_.find(what.name());
  if (found == samples_.end()) return std::nullopt;
  return found->second.allocations;
}

std::optional<double> results::value(subject const& what) const {
  auto const found = samples_.find(what.name());
  if (found == samples_.end()) return std::nullopt;
  return found->second.value;
}

std::optional<double> results::best(std::vector<subject> const& candidates) const {
  std::optional<double> smallest;
  for (subject const& candidate : candidates) {
    std::optional<double> const time = nanoseconds(candidate);
    if (time && (!smallest || *time < *smallest)) smallest = time;
  }
  return smallest;
}

std::optional<double> results::ratio(std::vector<subject> const& slow,
                                     std::vector<subject> const& fast) const {
  std::optional<double> const numerator = best(slow);
  std::optional<double> const denominator = best(fast);
  if (!numerator || !denominator) return std::nullopt;
  return *numerator / *denominator;
}

std::vector<std::string> results::disagreements() const {
  constexpr double tolerance = 0.01;
  std::map<std::string, double> expected;
  std::vector<std::string> found;
  for (entry const& each : benches()) {
    subject const& what = each.what;
    auto const measured = samples_.find(what.name());
    if (measured == samples_.end()) continue;
    double const value = measured->second.value;
    double const first = expected.try_emplace(same_work(what), value).first->second;
    if (!(std::abs(value - first) <= tolerance * std::abs(first))) {
      found.push_back(what.name() + " found " + std::to_string(value) + ", another " + std::to_string(first));
    }
  }
  return found;
}

bool collector::ReportContext(Context const&) { return true; }

void collector::ReportRuns(std::vector<Run> const& runs) {
  for (Run const& run : runs) {
    auto const rate = run.counters.find("items_per_second");
    // A run that was skipped has no rate.
    if (run.run_type != Run::RT_Iteration || rate == run.counters.end()) continue;
    to_.add(run.run_name.function_name, 1e9 / rate->second.value, run.counters.at("value"),
            run.counters.at("allocations"));
  }
}

}  // namespace bench
