#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "distil/core/float16.hpp"

/// Element types as values: what the suites choose at run time.
namespace distil::testing {

enum class element { float32, float64, bfloat16, half };

template <class T>
constexpr element element_of = std::is_same_v<T, float>      ? element::float32
                               : std::is_same_v<T, double>   ? element::float64
                               : std::is_same_v<T, bfloat16> ? element::bfloat16
                                                             : element::half;

inline char const* name_of(element type) {
  switch (type) {
    case element::float32:
      return "float";
    case element::float64:
      return "double";
    case element::bfloat16:
      return "bfloat16";
    case element::half:
      return "half";
  }
  return "?";
}

/// The types of student, teacher and gradient.
struct element_types {
  element student, teacher, gradient;

  static element_types all(element type) { return {type, type, type}; }
  friend bool operator==(element_types const&, element_types const&) = default;
};

template <class Student, class Teacher, class Gradient>
struct mix {
  static constexpr element_types types = {element_of<Student>, element_of<Teacher>, element_of<Gradient>};
};

/// Of the type computed in: `double` where either operand is, else `float`.
struct arithmetic_limits {
  double epsilon, smallest;
};
inline arithmetic_limits limits_of(element first, element second) {
  if (first == element::float64 || second == element::float64) {
    return {std::numeric_limits<double>::epsilon(), std::numeric_limits<double>::min()};
  }
  return {std::numeric_limits<float>::epsilon(), std::numeric_limits<float>::min()};
}
inline arithmetic_limits limits_of(element type) { return limits_of(type, type); }

/// Half a unit in the last place of what is stored, relative and absolute.
inline double storage_rounding(element type, double value) {
  switch (type) {
    case element::bfloat16:
      return std::abs(value) * 0x1p-8 + 1e-38;
    case element::half:
      return std::abs(value) * 0x1p-11 + 0x1p-24;
    case element::float32:
      return std::abs(value) * 0x1p-24 + 1e-38;
    case element::float64:
      return 0.0;
  }
  return 0.0;
}
template <class Storage>
double storage_rounding(double value) {
  return storage_rounding(element_of<Storage>, value);
}

}  // namespace distil::testing
