#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "row_case.hpp"

/// What the option `weight` of a loss does, whatever the loss: one that couples rows as one of rows.
namespace distil::testing {

/// Whether the case hands the weight of a setting on.
template <class Case>
bool takes_a_weight(Case const& of, any_batch const& b, setting& s) {
  s.weight = 0.5;
  (void)of.value(b, s, {});
  return s.weight.was_taken();
}

/// Value and gradient are multiplied by it, also where they are added; the weight of the rows is not.
template <class Case>
void expect_multiplied(Case const& of, any_batch& b, setting& s, double epsilon) {
  std::string const where = s.label + ", " + std::to_string(b.rows) + "x" + std::to_string(b.columns);
  auto const gradient_of = [&](double weight, bool adds) {
    s.weight = weight;
    std::vector<double> result;
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) b.gradient.set(r, c, 7.0);
    }
    loss_value const found = of.with_grad(b, s, {}, adds);
    EXPECT_EQ(of.value(b, s, {}).value, found.value) << where;
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) result.push_back(b.gradient.at(r, c));
    }
    return std::pair(found, result);
  };
  auto const [one, gradient] = gradient_of(1.0, false);
  auto const [found, weighed] = gradient_of(0.375, false);
  auto const [again, added] = gradient_of(0.375, true);
  EXPECT_NEAR(found.value, 0.375 * one.value, 4 * epsilon * std::abs(one.value)) << where;
  EXPECT_EQ(again.value, found.value) << where;
  EXPECT_EQ(found.weight, one.weight) << where;
  double largest = 0;
  for (double const each : gradient) largest = std::max(largest, std::abs(each));
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    ASSERT_NEAR(weighed[i], 0.375 * gradient[i], 16 * epsilon * largest) << where;
    ASSERT_NEAR(added[i] - 7.0, weighed[i], 16 * epsilon * (7 + largest)) << where;
  }
}

/// A loss of weight 0 is 0, and so is its gradient, even if every number it is given is none.
template <class Case>
void expect_absent(Case const& of, any_batch& b, setting& s) {
  for (index r = 0; r < b.rows; ++r) {
    for (index c = 0; c < b.columns; ++c) {
      b.student.set(r, c, std::numeric_limits<double>::quiet_NaN());
      b.teacher.set(r, c, std::numeric_limits<double>::infinity());
    }
  }
  s.weight = 1.0;
  double const counted = of.value(b, s, {}).weight;
  s.weight = 0.0;
  for (bool const adds : {false, true}) {
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) b.gradient.set(r, c, 7.0);
    }
    loss_value const found = of.with_grad(b, s, {}, adds);
    EXPECT_EQ(found.value, 0.0) << s.label;
    EXPECT_EQ(found.weight, counted) << s.label;
    EXPECT_EQ(of.value(b, s, {}).value, 0.0) << s.label;
    for (index r = 0; r < b.rows; ++r) {
      for (index c = 0; c < b.columns; ++c) ASSERT_EQ(b.gradient.at(r, c), adds ? 7.0 : 0.0) << s.label;
    }
  }
}

}  // namespace distil::testing
