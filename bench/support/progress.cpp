#include "support/progress.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace bench {

namespace {
bool on_terminal() { return isatty(STDERR_FILENO) == 1; }
}  // namespace

void show_progress(std::string const& name) {
  static auto const start = std::chrono::steady_clock::now();
  if (!on_terminal()) return;
  std::chrono::duration<double> const passed = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr, "\r\033[K%4.0f s  %s", passed.count(), name.c_str());
}

void end_progress() {
  if (on_terminal()) std::fputs("\r\033[K", stderr);
}

}  // namespace bench
