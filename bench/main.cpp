#include <benchmark/benchmark.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include "summary/roofline.hpp"
#include "summary/summary.hpp"
#include "summary/targets.hpp"
#include "support/google_benchmark.hpp"
#include "support/progress.hpp"

// distil_bench [--summary=<path>] [--roofline=<file>] [--targets] [options of Google Benchmark]
// With --summary: silent but for the summary, which also goes to <path>.md and <path>.json; its picture goes to the
// file named by --roofline, unless the benches it needs are left out.
// With --targets: only what the table of targets needs.
namespace {

struct settings {
  std::string summary, roofline;
  bool only_targets = false;

  /// Takes its options out of the command line.
  settings(int& argc, char** argv) {
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
      std::string const argument = argv[i];
      bool const mine = takes(argument, "--summary=", summary) || takes(argument, "--roofline=", roofline);
      if (argument == "--targets") {
        only_targets = true;
      } else if (!mine) {
        argv[kept++] = argv[i];
      }
    }
    argc = kept;
  }

 private:
  static bool takes(std::string const& argument, std::string const& option, std::string& to) {
    if (argument.compare(0, option.size(), option) != 0) return false;
    to = argument.substr(option.size());
    return true;
  }
};

void hand_over_benches(bool only_targets) {
  std::set<std::string> needed;
  for (bench::target const& one : bench::targets()) {
    for (bench::subject const& what : subjects_of(one)) needed.insert(what.name());
  }
  bench::hand_over(
      [&](bench::subject const& what) { return !only_targets || needed.count(what.name()) > 0; });
}

bool save(std::string const& path, std::string const& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) std::fprintf(stderr, "distil_bench: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

bool run_with_summary(std::string const& path, std::string const& picture) {
  bench::machine const where = bench::machine::current();
  bench::results measured;
  bench::collector reporter(measured);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  bench::end_progress();

  std::string const summary = bench::markdown_summary(where, measured);
  std::fputs(summary.c_str(), stdout);
  bool done = save(path + ".md", summary) && save(path + ".json", bench::json_summary(where, measured));
  std::string const roofs = bench::roofline(measured);
  if (!picture.empty() && !roofs.empty()) done = save(picture, roofs) && done;
  for (std::string const& difference : measured.disagreements()) {
    std::fprintf(stderr, "distil_bench: not the same work: %s\n", difference.c_str());
    done = false;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  settings const chosen(argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  hand_over_benches(chosen.only_targets);
  if (chosen.summary.empty()) {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }
  return run_with_summary(chosen.summary, chosen.roofline) ? 0 : 1;
}
