// Built with -fno-exceptions -fno-rtti: a refused argument reaches the installed handler with its text.
// Succeeds when it does; a handler that returns, a wrong text or an accepted temperature fail.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "distil/response/hinton_kd.hpp"

namespace {

void expect_temperature_refused(char const* text) {
  constexpr std::string_view expected =
      "distil::hinton_kd: temperature is -1; it must be within [1e-15, 1e15]";
  std::printf("%s\n", text);
  std::exit(text == expected ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace

int main() {
#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "build this program with -fno-exceptions -fno-rtti"
#endif
  distil::set_contract_handler(expect_temperature_refused);
  float const logits[] = {1.0F, 2.0F, 3.0F};
  float gradient[3];
  distil::matrix_view<float const> const student(logits, 1, 3);
  if (!(distil::hinton_kd.with_grad(student, student, distil::matrix_view<float>(gradient, 1, 3)).weight ==
        1)) {
    return EXIT_FAILURE;
  }
  distil::hinton_kd.with_grad(student, student, distil::matrix_view<float>(gradient, 1, 3),
                              {.temperature = -1});
  return EXIT_FAILURE;  // the refusal must not come back
}
