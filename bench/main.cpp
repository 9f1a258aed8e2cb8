#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "summary/summary.hpp"
#include "support/progress.hpp"

// distil_bench [--summary=<path>] [options of Google Benchmark]
// With --summary: silent but for the summary, which also goes to <path>.md and <path>.json.
namespace {

bool save(std::string const& path, std::string const& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) std::fprintf(stderr, "distil_bench: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

bool run_with_summary(std::string const& path) {
  bench::machine const where = bench::machine::current();
  bench::results measured;
  bench::collector reporter(measured);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  bench::end_progress();

  std::string const summary = bench::markdown_summary(where, measured);
  std::fputs(summary.c_str(), stdout);
  bool done = save(path + ".md", summary) && save(path + ".json", bench::json_summary(where, measured));
  for (std::string const& difference : measured.disagreements()) {
    std::fprintf(stderr, "distil_bench: not the same work: %s\n", difference.c_str());
    done = false;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  constexpr char const* option = "--summary=";
  std::string path;
  if (argc > 1 && std::strncmp(argv[1], option, std::strlen(option)) == 0) {
    path = argv[1] + std::strlen(option);
    --argc;
    ++argv;
  }
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (path.empty()) {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }
  return run_with_summary(path) ? 0 : 1;
}
