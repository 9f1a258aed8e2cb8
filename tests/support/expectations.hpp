#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "row_case.hpp"

/// Holds a loss against the reference of its entry, within the bounds the loss itself states.
namespace distil::testing {

/// What the reference says of a batch.
struct batch_truth {
  long double value = 0;
  long double weight = 0;
  double value_error = 0;  ///< allowed
  std::vector<truth> rows = {};
  std::vector<long double> factors = {};  ///< d reduced / d row
};

/// `row_truth(r)` is the reference of a row.
batch_truth truth_of_rows(row_case const& of, any_batch const& b, row_options const& options, double epsilon,
                          std::function<truth(index)> const& row_truth);
batch_truth truth_of(row_case const& of, any_batch const& b, setting const& s, row_options const& options,
                     double epsilon);
/// Of one row.
truth truth_of(row_case const& of, any_batch const& b, setting const& s, index r);

/// `found` within `allowed` of `expected`; NaN and infinities must be met exactly.
::testing::AssertionResult close(double found, long double expected, double allowed);

/// What dL/dT of a row may be off by, in epsilons: see `error_bound`.
double allowed_slope(error_bound const& bound, bool has_teacher, exact_row const& z, exact_row const& t,
                     truth const& row, double temperature);
template <class Case, class Batch>
double allowed_slope(Batch const& b, index r, truth const& row, double temperature) {
  return allowed_slope(Case::bound, Case::has_teacher, b.student.template row<long double>(r),
                       b.teacher.template row<long double>(r), row, temperature);
}

/// Of the type that the loss computes in.
arithmetic_limits limits_of(row_case const& of, any_batch const& b);

/// Value, weight and gradient of one batch against what the reference says of it; the value form gives the same bits.
void expect_truth(row_case const& of, any_batch& b, batch_truth const& exact, setting const& s,
                  row_options const& rows, std::string const& what);
void expect_reference(row_case const& of, any_batch& b, setting const& s, row_options const& rows,
                      std::string const& what);

/// dL/dT of every row, in `each`, against what the reference says; their sum, in `sum`.
void expect_slopes(row_case const& of, any_batch const& b, batch_truth const& exact,
                   std::vector<double> const& temperatures, std::vector<double> const& each, double sum,
                   std::string const& where);

/// The same for a batch with its types.
template <class Case, class S, class Te, class G, class Setting>
void expect_reference(batch<S, Te, G>& b, Setting const& s, row_options const& rows,
                      std::string const& what) {
  case_of<Case, mix<S, Te, G>> const of;
  static_assert(std::is_same_v<Setting, typename decltype(of)::own_setting>);
  any_batch any(b);
  expect_reference(of, any, s, rows, what);
}

/// Every setting in these element types.
void expect_storage(row_case const& of, element_types const& types);
template <class Case, class S, class Te, class G>
void expect_storage() {
  expect_storage(case_of<Case, mix<S, Te, G>>(), mix<S, Te, G>::types);
}

}  // namespace distil::testing
