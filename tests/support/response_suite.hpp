#pragma once

#include <string>
#include <vector>

#include "allocations.hpp"
#include "element_types.hpp"
#include "expectations.hpp"
#include "finite_difference.hpp"
#include "row_case.hpp"
#include "suites.hpp"

namespace distil::testing {

/// What every row-wise loss must do, whatever it computes.
suite<row_case> const& response_suite();

/// How it behaves around its formula: policies, storage types, writing in place and adding, gradients with respect to the
/// temperature, and the laws that hold for all.
suite<row_case> const& behaviour_suite();

/// What holds row by row and setting by setting: options that differ from row to row, every setting at every temperature,
/// each reason for which a row does not count, and a student like its teacher.
suite<row_case> const& row_laws();

/// `row_suites<its case> const suites("loss");` in the test of a loss takes them all.
template <class Case>
class row_suites {
 public:
  explicit row_suites(std::string const& loss, std::vector<suite<row_case>> const& suites = {
                                                   response_suite(), behaviour_suite(), row_laws()}) {
    add(loss, suites, compiled_types());
  }

 private:
  template <class... Types>
  static void add(std::string const& loss, std::vector<suite<row_case>> const& suites, type_list<Types...>) {
    (add_in<Types>(loss, suites), ...);
  }
  template <class T>
  static void add_in(std::string const& loss, std::vector<suite<row_case>> const& suites) {
    // Readers and writers do not know the loss: every mix of types is tried with forward_kl, and one with each.
    constexpr bool other_types = stands_for_other_types<T> && !Case::is_map;
    using compiled =
        std::conditional_t<other_types, case_of<Case, mix<T, T, T>, mix<half, bfloat16, bfloat16>>,
                           case_of<Case, mix<T, T, T>>>;
    auto const of = std::make_shared<compiled const>();
    for (suite<row_case> const& each : suites) add_tests<row_case>(loss, each, of, element_of<T>);
  }
};

/// One row, rows across the lanes, long rows, parts of rows, class-major storage, and strides that fit no register.
struct allocation_shape {
  index rows, columns;
  layout order;
};
inline constexpr allocation_shape allocation_shapes[] = {
    {1, 1, layout::row_major},      {37, 10, layout::padded},
    {64, 1000, layout::row_major},  {3, 2 * simd::least_part_columns + 5, layout::padded},
    {70, 300, layout::class_major}, {5, 130, layout::every_other}};

}  // namespace distil::testing
