#pragma once

#include <gtest/gtest.h>

#include <string>

#include "element_types.hpp"
#include "feature_case.hpp"
#include "refusal.hpp"
#include "reversing_executor.hpp"
#include "slope_bound.hpp"
#include "suites.hpp"

namespace distil::testing {

/// What every loss between a student's and a teacher's features must do, whatever it computes; the case is a `pair_case`.
///
/// The only truth is the case's naive formula in long double; the gradient's is its central differences.
suite<feature_case> const& pair_suite();

/// `pair_suites<its case> const suites("loss");` in the test of a loss takes it.
template <class Case>
class pair_suites {
 public:
  explicit pair_suites(std::string const& loss) { add(loss, compiled_types()); }

 private:
  template <class... Types>
  static void add(std::string const& loss, type_list<Types...>) {
    (add_tests<feature_case>(loss, pair_suite(), std::make_shared<in_type<Types> const>(), element_of<Types>),
     ...);
  }
  template <class T>
  using in_type = std::conditional_t<
      stands_for_other_types<T>,
      feature_case_of<Case, mix<T, T, T>, mix<bfloat16, half, float>, mix<float, double, half>>,
      feature_case_of<Case, mix<T, T, T>>>;
};

/// What the reference says of a batch.
struct pair_truth {
  long double value = 0;
  exact_map gradient;
  pair_scales scales = {};
};

pair_truth pair_truth_of(feature_case const& of, exact_map student, exact_map const& teacher,
                         any_setting const& s);

/// Value and gradient of one batch against what the reference says of it; the value form gives the same bits.
void expect_truth(feature_case const& of, any_pair& b, pair_truth const& exact, any_setting const& s,
                  std::string const& what);
void expect_pair(feature_case const& of, any_pair& b, any_setting const& s, std::string const& what);

/// The same for a batch with its types.
template <class Case, class S, class Te, class G, class Setting>
void expect_pair(pair_batch<S, Te, G>& b, Setting const& s, std::string const& what) {
  feature_case_of<Case, mix<S, Te, G>> const of;
  any_pair any(b);
  expect_pair(of, any, of.setting_of(s), what);
}

/// The derivative by an option, a temperature or a scale, that the loss writes to `slope`; with a gradient, the same.
template <class Case, class T, class Options>
void expect_slope_by(double Options::*option, std::span<double> Options::*slope, pair_shape const& shape) {
  for (auto s : Case::settings()) {
    pair_batch<T> b(shape);
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    double const size = scales_of<Case>(student, teacher, s).value, from = s.options.*option;
    double found = 42, again = 42;
    s.options.*slope = {&again, 1};
    auto const only = Case::value(serial, b, s);
    s.options.*slope = {&found, 1};
    auto const both = Case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_EQ(found, again) << s.label;
    if constexpr (requires { only.of_images; }) {
      EXPECT_EQ(only.of_images, both.of_images);
      EXPECT_EQ(only.of_texts, both.of_texts);
    }
    if constexpr (requires { s.options.weight; }) {
      auto weighed = s;
      double slope_weighed = 42;
      weighed.options.*slope = {&slope_weighed, 1};
      for (double const weight : {0.7, 0.0}) {
        weighed.options.weight = weight;
        (void)Case::value(serial, b, weighed);
        EXPECT_NEAR(slope_weighed, weight * found, 1e-15 * std::abs(found)) << s.label;
      }
    }
    auto const at = [&](long double moved) {
      s.options.*option = static_cast<double>(moved);
      return Case::of(student, teacher, s);
    };
    expect_slope(found, at, from, Case::bound, std::numeric_limits<T>::epsilon(), size, s.label);
  }
}

}  // namespace distil::testing
