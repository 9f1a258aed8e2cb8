#include "summary/machine.hpp"

#include <benchmark/benchmark.h>

#include <distil/simd/architecture.hpp>
#include <fstream>

#define BENCH_TEXT_OF(name) #name
#define BENCH_TEXT(name) BENCH_TEXT_OF(name)

namespace bench {

namespace {

std::string processor_name() {
  std::ifstream system("/proc/cpuinfo");
  for (std::string line; std::getline(system, line);) {
    std::size_t const colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string cache_sizes() {
  std::string sizes;
  for (auto const& cache : benchmark::CPUInfo::Get().caches) {
    if (cache.type == "Instruction") continue;
    sizes += (sizes.empty() ? "L" : ", L") + std::to_string(cache.level) + " " +
             std::to_string(cache.size / 1024) + " KiB";
  }
  return sizes;
}

}  // namespace

machine machine::current() {
  auto const& system = benchmark::CPUInfo::Get();
  double const load = system.load_avg.empty() ? 0.0 : system.load_avg.front();
#if defined(__clang__)
  std::string const compiler = "clang " __clang_version__;
#else
  std::string const compiler = "g++ " __VERSION__;
#endif
  return {
      processor_name(), cache_sizes(), system.num_cpus, compiler, BENCH_TEXT(DISTIL_ARCH_NAMESPACE), load};
}

}  // namespace bench
