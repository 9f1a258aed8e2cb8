// Built with -fno-exceptions -fno-rtti: a refused argument reaches the installed handler with its text; without a handler
// the text stands in the standard error output when the program ends. A wrong text, an accepted temperature or a refusal
// that comes back fail.
//   no_exceptions                 with a handler
//   no_exceptions <scratch file>  without

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "distil/response/hinton_kd.hpp"

namespace {

constexpr std::string_view expected = "distil::hinton_kd: temperature is -1; it must be within [1e-15, 1e15]";

[[noreturn]] void end(std::string_view text) {
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  std::exit(text == expected ? EXIT_SUCCESS : EXIT_FAILURE);
}

char const* scratch_file = nullptr;

void read_standard_error() {
  char text[1000];
  std::fflush(stderr);
  std::FILE* const file = std::fopen(scratch_file, "r");
  std::size_t const size = file != nullptr ? std::fread(text, 1, sizeof text, file) : 0;
  end({text, size > 0 ? size - 1 : 0});  // but for the line's end
}

}  // namespace

int main(int count, char** arguments) {
#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "build this program with -fno-exceptions -fno-rtti"
#endif
  if (count > 1) {
    scratch_file = arguments[1];
    if (std::freopen(scratch_file, "w", stderr) == nullptr) return EXIT_FAILURE;
    std::set_terminate(read_standard_error);
  } else {
    distil::set_contract_handler([](char const* text) { end(text); });
  }
  float const logits[] = {1.0F, 2.0F, 3.0F};
  float gradient[3];
  distil::matrix_view<float const> const student(logits, 1, 3);
  if (!(distil::hinton_kd.with_grad(student, student, distil::matrix_view<float>(gradient, 1, 3)).weight ==
        1)) {
    return EXIT_FAILURE;
  }
  distil::hinton_kd.with_grad(student, student, distil::matrix_view<float>(gradient, 1, 3),
                              {.temperature = -1});
  return EXIT_FAILURE;
}
