#include "support/google_benchmark.hpp"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>
#include <limits>
#include <new>

#include "support/allocations.hpp"
#include "support/progress.hpp"

namespace bench {

namespace {

/// Processor time of the programs this one has started and seen end.
double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  auto const seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void run(benchmark::State& state, entry const& one, bool is_first) {
  show_progress(one.what.name());
  double value = std::numeric_limits<double>::quiet_NaN();
  long made = 0;
  try {
    call const once = one.prepare();
    if (is_first) once();  // touches the memory, and may allocate scratch
    long const before = allocations();
    for (auto _ : state) {
      double const start = one.clock == stopwatch::children ? seconds_of_children() : 0.0;
      value = once();
      benchmark::DoNotOptimize(value);
      benchmark::ClobberMemory();
      if (one.clock == stopwatch::children) state.SetIterationTime(seconds_of_children() - start);
    }
    made = allocations() - before;
  } catch (std::bad_alloc const&) {
    state.SkipWithError("not enough memory");
    return;
  }
  state.counters["value"] = value;
  state.counters["allocations"] = static_cast<double>(made) / static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations() * one.each.elements);
  state.SetBytesProcessed(state.iterations() * one.each.elements * static_cast<std::int64_t>(one.each.bytes));
}

}  // namespace

void hand_over(std::function<bool(subject const&)> const& takes) {
  for (entry const& one : benches()) {
    if (!takes(one.what)) continue;
    auto* const registered = benchmark::RegisterBenchmark(
        one.what.name().c_str(), [&one, is_first = true](benchmark::State& state) mutable {
          run(state, one, is_first);
          is_first = false;
        });
    registered->Unit(benchmark::kMicrosecond);
    if (one.clock == stopwatch::wall) registered->UseRealTime();
    if (one.clock == stopwatch::children) registered->UseManualTime();
  }
}

}  // namespace bench
