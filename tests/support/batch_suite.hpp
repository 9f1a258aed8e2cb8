#pragma once

#include "batch_case.hpp"
#include "behaviour_suite.hpp"

namespace distil::testing {

/// What every loss must do that couples the rows of a batch, whatever it computes.
suite<batch_case> const& batch_suite();
std::vector<suite_test<batch_case>> batch_behaviour();  ///< its tests of what is not the formula's

/// What holds row by row and setting by setting: every setting at every temperature, each reason for which a row does not
/// count, and a student like its teacher.
suite<batch_case> const& batch_laws();

/// `batch_suites<its case> const suites("loss");` in the test of a loss takes both.
template <class Case>
class batch_suites {
 public:
  explicit batch_suites(std::string const& loss) { add(loss, compiled_types()); }

 private:
  template <class... Types>
  static void add(std::string const& loss, type_list<Types...>) {
    (add_in<Types>(loss), ...);
  }
  template <class T>
  static void add_in(std::string const& loss) {
    auto const of = std::make_shared<in_type<T> const>();
    add_tests<batch_case>(loss, batch_suite(), of, element_of<T>);
    add_tests<batch_case>(loss, batch_laws(), of, element_of<T>);
  }
  template <class T>
  using in_type = std::conditional_t<stands_for_other_types<T>,
                                     batch_case_of<Case, mix<T, T, T>, mix<half, bfloat16, bfloat16>>,
                                     batch_case_of<Case, mix<T, T, T>>>;
};

}  // namespace distil::testing
