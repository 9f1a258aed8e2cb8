#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "support/registry.hpp"

// What distil costs a user's file: the compiler's processor time to the end at -O2, and the size of the object's code and
// data; and for umbrellas the time up to code generation.
namespace {

void run(std::string const& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

/// Bytes of code, constants and tables, as `size` adds them up.
double bytes_of(std::string const& object) {
  std::string const report = object + ".size";
  run("size '" + object + "' > '" + report + "'");
  std::ifstream in(report);
  std::string line;
  std::getline(in, line);
  double text = 0.0, data = 0.0;
  in >> text >> data;
  return text + data;
}

void add_unit(std::string const& unit) {
  bench::add(
      {"compiler", unit, "source", "unit", "object"}, {1, 0},
      [unit]() -> bench::call {
        return [unit] {
          std::string const object = std::string(BENCH_OBJECT_FOLDER) + "/" + unit + ".o";
          run(std::string(BENCH_COMPILE) + " -O2 -c '" BENCH_COMPILE_FOLDER "/" + unit + ".cpp' -o '" +
              object + "'");
          return bytes_of(object);
        };
      },
      bench::stopwatch::children);
}

void add_umbrella(std::string const& header) {
  bench::add(
      {"compiler", "include", "source", header, "syntax_only"}, {1, 0},
      [header]() -> bench::call {
        return [header] {
          run(std::string(BENCH_COMPILE) + " -fsyntax-only -include distil/" + header + " -x c++ /dev/null");
          return 0.0;
        };
      },
      bench::stopwatch::children);
}

bool const registered = [] {
  std::filesystem::create_directories(BENCH_OBJECT_FOLDER);
  for (char const* const unit : {"eigen_by_hand", "hinton_kd", "hinton_kd_and_value",
                                 "hinton_kd_in_three_types", "hinton_kd_and_parallel", "three_losses"}) {
    add_unit(unit);
  }
  add_umbrella("response.hpp");
  add_umbrella("distil.hpp");
  return true;
}();

}  // namespace
