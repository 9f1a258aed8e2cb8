#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "support/registry.hpp"

// Runs every kernel of distil twice and lets callgrind count the second call; see count.sh. Prints what was counted,
// and first of all what the counts depend on.
namespace {

bool is_counted(bench::subject const& what) {
  return what.threads == 1 && (what.form == "gradient" || what.form == "output") &&
         (what.element == "float" || what.element == "bfloat16") &&
         std::any_of(std::begin(bench::shapes), std::end(bench::shapes),
                     [&](bench::shape size) { return size.name() == what.shape; });
}

}  // namespace

int main() {
#if defined(__clang__)
  std::puts("clang " __clang_version__ ", " BENCH_FLAGS);
#else
  std::puts("g++ " __VERSION__ ", " BENCH_FLAGS);
#endif
  for (bench::entry const& one : bench::benches()) {
    if (!is_counted(one.what)) continue;
    bench::call const once = one.prepare();
    once();
    CALLGRIND_START_INSTRUMENTATION;
    once();
    CALLGRIND_STOP_INSTRUMENTATION;
    std::string const name = one.what.operation + ", " + one.what.form + ", " + one.what.element + ":" +
                             one.what.shape + ":" + std::to_string(one.each.elements);
    CALLGRIND_DUMP_STATS_AT(name.c_str());
  }
}
