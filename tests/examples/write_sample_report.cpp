// Writes the sample report to the path given, for the test that opens it in a browser.
#include <cstdlib>
#include <exception>
#include <iostream>

#include "quickstart/report.hpp"
#include "sample_report.hpp"

int main(int count, char** arguments) try {
  if (count != 2) {
    std::cerr << "usage: write_sample_report FILE\n";
    return EXIT_FAILURE;
  }
  quickstart::write_report(arguments[1], sample::report());
} catch (std::exception const& error) {
  std::cerr << error.what() << '\n';
  return EXIT_FAILURE;
}
