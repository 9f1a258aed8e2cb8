#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "distil/core/float16.hpp"

/// The element types a suite runs in.
namespace distil::testing {

template <class Case, class T>
struct in {
  using loss = Case;
  using type = T;
};
// By CMake, see DISTIL_TEST_LOSSES: the other type is left to another leg of CI.
#if defined(DISTIL_TEST_IN_FLOAT)
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, float>>;
template <class T>
constexpr bool stands_for_other_types = false;
#elif defined(DISTIL_TEST_IN_DOUBLE)
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, double>>;
template <class T>
constexpr bool stands_for_other_types = true;
#else
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, float>, in<Case, double>>;
template <class T>
constexpr bool stands_for_other_types = std::is_same_v<T, float>;
#endif

/// Half a unit in the last place of what is stored, relative and absolute.
template <class Storage>
double storage_rounding(double value) {
  if (std::is_same_v<Storage, bfloat16>) return std::abs(value) * 0x1p-8 + 1e-38;
  if (std::is_same_v<Storage, half>) return std::abs(value) * 0x1p-11 + 0x1p-24;
  if (std::is_same_v<Storage, float>) return std::abs(value) * 0x1p-24 + 1e-38;
  return 0.0;
}

}  // namespace distil::testing
