#include "support/registry.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "support/progress.hpp"

namespace bench {

std::string subject::name() const {
  std::string const run = threads == 1 ? std::string("serial") : std::to_string(threads) + "_threads";
  std::string result;
  for (std::string const* const part : {&library, &operation, &element, &shape, &form, &run}) {
    if (!result.empty()) result += '/';
    result += *part;
  }
  return result;
}

namespace {

void run(benchmark::State& state, std::string const& name, std::int64_t elements, std::int64_t bytes,
         std::function<call()> const& prepare) {
  show_progress(name);
  double value = std::numeric_limits<double>::quiet_NaN();
  try {
    call const once = prepare();
    for (auto _ : state) {
      value = once();
      benchmark::DoNotOptimize(value);
      benchmark::ClobberMemory();
    }
  } catch (std::bad_alloc const&) {
    state.SkipWithError("not enough memory");
    return;
  }
  state.counters["value"] = value;
  state.SetItemsProcessed(state.iterations() * elements);
  state.SetBytesProcessed(state.iterations() * elements * bytes);
}

// Benches register themselves before main, in the order of their files: a function's static is there in time.
std::vector<subject>& registered_subjects() {
  static std::vector<subject> subjects;
  return subjects;
}

}  // namespace

std::vector<subject> const& subjects() { return registered_subjects(); }

void add(subject const& what, std::ptrdiff_t elements, std::size_t bytes, std::function<call()> prepare) {
  registered_subjects().push_back(what);
  std::string const name = what.name();
  auto* const registered = benchmark::RegisterBenchmark(
      name.c_str(), [name, elements, bytes, prepare = std::move(prepare)](benchmark::State& state) {
        run(state, name, elements, static_cast<std::int64_t>(bytes), prepare);
      });
  registered->Unit(benchmark::kMicrosecond);
  // One thread is measured by its own clock, which stands still when others take the processor.
  if (what.threads > 1) registered->UseRealTime();
}

}  // namespace bench
