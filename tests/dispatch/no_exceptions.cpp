// Built with -fno-exceptions: a choice that cannot be made reaches the installed handler with its text.
// Succeeds when it does; a handler that returns, a wrong text or a call that comes back fail.

#include <cstdio>
#include <cstdlib>
#include <distil/core/contract.hpp>
#include <string_view>
#include <vector>

#include "kernels.hpp"

namespace {

void expect_refusal(char const* text) {
  constexpr std::string_view expected =
      "distil::dispatch: DISTIL_FORCE_ARCH is x86-64-v2; it must be x86-64, for which the program is built";
  std::printf("%s\n", text);
  std::exit(text == expected ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace

int main() {
#if defined(__cpp_exceptions)
#error "build this program with -fno-exceptions"
#endif
  distil::set_contract_handler(expect_refusal);
  std::vector<float> const logits{1, 2, 3};
  std::vector<int> const labels{0};
  std::vector<float> gradient(logits.size());
  (void)distillation_loss(logits, logits, labels, gradient);
  return EXIT_FAILURE;  // the refusal must not come back
}
