#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/registry.hpp"

namespace bench {

/// What the repetitions of one run measured.
class results {
 public:
  void add(std::string const& name, double nanoseconds_per_element, double value, double allocations);

  /// The median, in nanoseconds for each element of the logits; nothing where the subject was not run.
  [[nodiscard]] std::optional<double> nanoseconds(subject const& what) const;

  /// The most that a call allocated after the first, in any repetition.
  [[nodiscard]] std::optional<double> allocations(subject const& what) const;
  [[nodiscard]] std::optional<double> value(subject const& what) const;

  /// The smallest of several medians.
  [[nodiscard]] std::optional<double> best(std::vector<subject> const& candidates) const;

  /// How often the best of `slow` takes as long as the best of `fast`.
  [[nodiscard]] std::optional<double> ratio(std::vector<subject> const& slow,
                                            std::vector<subject> const& fast) const;

  /// Names of subjects that computed another loss than others on the same batch: they did not do the same
  /// work.
  [[nodiscard]] std::vector<std::string> disagreements() const;

 private:
  struct samples {
    std::vector<double> nanoseconds;
    double value = 0.0;
    double allocations = 0.0;
  };
  std::map<std::string, samples> samples_;
};

/// Collects the repetitions of Google Benchmark.
class collector : public benchmark::BenchmarkReporter {
 public:
  explicit collector(results& to) : to_(to) {}

  bool ReportContext(Context const& context) override;
  void ReportRuns(std::vector<Run> const& runs) override;

 private:
  results& to_;
};

}  // namespace bench
