#pragma once

#include <gtest/gtest.h>

#include <type_traits>

#include "elements.hpp"

/// The element types that the tests of a loss are compiled for.
namespace distil::testing {

template <class... Types>
struct type_list {};

/// The parameter of a typed test of a loss's own.
template <class Case, class T>
struct in {
  using loss = Case;
  using type = T;
};

// By CMake, see DISTIL_TEST_LOSSES: the other type is left to another leg of CI.
#if defined(DISTIL_TEST_IN_FLOAT)
using compiled_types = type_list<float>;
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, float>>;
template <class T>
constexpr bool stands_for_other_types = false;
#elif defined(DISTIL_TEST_IN_DOUBLE)
using compiled_types = type_list<double>;
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, double>>;
template <class T>
constexpr bool stands_for_other_types = true;
#else
using compiled_types = type_list<float, double>;
template <class Case>
using in_float_and_double = ::testing::Types<in<Case, float>, in<Case, double>>;
template <class T>
constexpr bool stands_for_other_types = std::is_same_v<T, float>;
#endif

}  // namespace distil::testing
