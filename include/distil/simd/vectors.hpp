#pragma once

#include <algorithm>

#include "distil/simd/logarithm.hpp"
#include "distil/simd/scratch.hpp"

/// Loops over contiguous numbers for losses whose rows lie in scratch, a register at a time.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The place of one full register in arrays of equal length.
template <class T>
struct whole_register {
  index at;
  DISTIL_INLINE lanes<T> load(T const* from) const { return lanes<T>::load(from + at); }
  DISTIL_INLINE void store(lanes<T> value, T* to) const { value.store(to + at); }
  [[nodiscard]] DISTIL_INLINE lanes<T> only(lanes<T> value, T = T(0)) const { return value; }
};

/// The place of the last register, which the arrays do not fill: what lies past the end is read as 0 and not written.
template <class T>
struct part_register {
  index at, count;
  DISTIL_INLINE lanes<T> load(T const* from) const { return lanes<T>::load_first(from + at, count, T(0)); }
  DISTIL_INLINE void store(lanes<T> value, T* to) const { value.store_first(to + at, count); }
  /// What lies within the arrays, and `padding`.
  [[nodiscard]] DISTIL_INLINE lanes<T> only(lanes<T> value, T padding = T(0)) const {
    T values[static_cast<std::size_t>(lanes<T>::size)];
    value.store(values);
    return lanes<T>::load_first(values, count, padding);
  }
};

/// Calls `body(place)` for every register of `size` numbers.
template <class T, class Body>
DISTIL_INLINE void for_each_register(index size, Body const& body) {
  index at = 0;
  for (; at + lanes<T>::size <= size; at += lanes<T>::size) body(whole_register<T>{at});
  if (at < size) body(part_register<T>{at, size - at});
}

/// Sum of `summand(place)` over `size` numbers, in runs of `longest_sum` registers.
template <class T, class Summand>
DISTIL_INLINE T sum_of(index size, Summand const& summand) {
  constexpr index step = lanes<T>::size;
  lanes<T> total(0);
  index at = 0;
  while (at + step <= size) {
    index const end = std::min(size, at + longest_sum * step);
    lanes<T> even(0), odd(0);
    for (; at + 2 * step <= end; at += 2 * step) {
      even += summand(whole_register<T>{at});
      odd += summand(whole_register<T>{at + step});
    }
    if (at + step <= end) {
      even += summand(whole_register<T>{at});
      at += step;
    }
    total += even + odd;
  }
  if (at < size) {
    part_register<T> const last{at, size - at};
    total += last.only(summand(last));
  }
  return first_of(sum_across(total));
}

/// Maximum of `size` numbers; -inf of none.
template <class T>
DISTIL_INLINE T maximum_of(T const* values, index size) {
  lanes<T> top(-infinity<T>);
  index at = 0;
  for (; at + lanes<T>::size <= size; at += lanes<T>::size) top = max(top, lanes<T>::load(values + at));
  if (at < size) top = max(top, lanes<T>::load_first(values + at, size - at, -infinity<T>));
  return first_of(max_across(top));
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
