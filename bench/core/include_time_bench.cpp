#include <cstdlib>
#include <stdexcept>

#include "support/registry.hpp"

// What it costs a user's file to include the family of losses: the compiler's processor time up to code generation.
namespace {

bool const registered = [] {
  bench::add(
      {"compiler", "include", "source", "response.hpp", "syntax_only"}, {1, 0},
      []() -> bench::call {
        return [] {
          if (std::system(BENCH_SYNTAX_CHECK) != 0) throw std::runtime_error(BENCH_SYNTAX_CHECK);
          return 0.0;
        };
      },
      bench::stopwatch::children);
  return true;
}();

}  // namespace
