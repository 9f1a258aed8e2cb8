#include "support/registry.hpp"

#include <utility>

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

// Benches register themselves before main, in the order of their files: a function's static is there in time.
std::vector<entry>& all_benches() {
  static std::vector<entry> all;
  return all;
}

}  // namespace

std::vector<entry> const& benches() { return all_benches(); }

void add(subject const& what, work each, std::function<call()> prepare, stopwatch clock) {
  all_benches().push_back({what, each, std::move(prepare), clock});
}

void add(subject const& what, work each, std::function<call()> prepare) {
  add(what, each, std::move(prepare), what.threads == 1 ? stopwatch::thread : stopwatch::wall);
}

}  // namespace bench
