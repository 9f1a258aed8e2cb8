#include "suites.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace distil::testing {
namespace {

class test_of_a_suite : public ::testing::Test {
 public:
  explicit test_of_a_suite(std::function<void()> run) : run_(std::move(run)) {}
  void TestBody() override { run_(); }

 private:
  std::function<void()> run_;
};

}  // namespace

template <class Case>
void add_tests(std::string const& loss, suite<Case> const& tests, std::shared_ptr<Case const> const& of,
               element type) {
  std::string const name = loss + "/" + tests.name + "/" + name_of(type);
  for (suite_test<Case> const& test : tests.tests) {
    ::testing::RegisterTest(name.c_str(), test.name, nullptr, nullptr, tests.file, 1,
                            [of, type, run = test.run]() -> test_of_a_suite* {
                              return new test_of_a_suite([of, type, run] { run(*of, type); });
                            });
  }
}

class row_case;
template void add_tests(std::string const&, suite<row_case> const&, std::shared_ptr<row_case const> const&,
                        element);
class batch_case;
template void add_tests(std::string const&, suite<batch_case> const&,
                        std::shared_ptr<batch_case const> const&, element);
class feature_case;
template void add_tests(std::string const&, suite<feature_case> const&,
                        std::shared_ptr<feature_case const> const&, element);

}  // namespace distil::testing
