#pragma once

#include <memory>
#include <string>
#include <vector>

#include "elements.hpp"

/// Suites: tests that any case goes through, as ordinary functions of the case and the element type.
namespace distil::testing {

template <class Case>
struct suite_test {
  char const* name;
  void (*run)(Case const& of, element type);
};

template <class Case>
struct suite {
  char const* name;
  char const* file;
  std::vector<suite_test<Case>> tests;
};

/// GoogleTest gets the tests of a suite as `<loss>/<suite>/<element type>.<test>`.
template <class Case>
void add_tests(std::string const& loss, suite<Case> const& tests, std::shared_ptr<Case const> const& of,
               element type);

}  // namespace distil::testing
