#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "distil/simd/scratch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Sorts the log-probabilities of a row in descending order, equal ones by class. The bits of numbers >= 0 are ordered as
/// the numbers are, so that long rows are sorted by counting digits, in time proportional to their classes.
template <class T>
class sorted_row {
  using word = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;

 public:
  struct entry {
    word key;  ///< of -log q: rises as the probability falls
    std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::int32_t, index> column;

    [[nodiscard]] T log_probability() const { return -std::bit_cast<T>(key); }
  };

  /// Rows from here on are sorted by digits, whose counts cost as much as so many comparisons.
  static constexpr index least_counted = 1024;

  /// Sorts into `entries`, which has room for twice the row; gives where the result is.
  static entry const* sort(T const* log_probabilities, index size, entry* entries) {
    for (index column = 0; column < size; ++column) {
      entries[column] = {std::bit_cast<word>(std::abs(log_probabilities[column])),
                         static_cast<decltype(entry::column)>(column)};
    }
    if (size < least_counted) {
      std::sort(entries, entries + size,
                [](entry a, entry b) { return a.key != b.key ? a.key < b.key : a.column < b.column; });
      return entries;
    }
    return count_digits(entries, entries + size, size);
  }

 private:
  static constexpr int digit_bits = 11;
  static constexpr index digits = index{1} << digit_bits;

  static entry const* count_digits(entry* from, entry* to, index size) {
    for (int shift = 0; shift < static_cast<int>(8 * sizeof(word)); shift += digit_bits) {
      auto const digit = [shift](entry e) { return static_cast<index>(e.key >> shift) & (digits - 1); };
      index place[digits] = {};
      for (index i = 0; i < size; ++i) ++place[digit(from[i])];
      if (place[digit(from[0])] == size) continue;  // all have the same
      index before = 0;
      for (index& count : place) before += std::exchange(count, before);
      for (index i = 0; i < size; ++i) to[place[digit(from[i])]++] = from[i];
      std::swap(from, to);
    }
    return from;
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
