#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace trainer {

/// Random numbers that are the same on every platform: the standard fixes its engines, but neither its
/// distributions nor `std::shuffle`. SplitMix64 (Steele, Lea, Flood 2014).
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// Uniform in [0, 1).
  [[nodiscard]] double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

  /// Uniform in [0, limit); `limit` must be above 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t limit) {
    // Numbers under 2^64 mod limit would make the small remainders more likely than the others.
    std::uint64_t const uneven = (0 - limit) % limit;
    for (;;) {
      if (std::uint64_t const number = next(); number >= uneven) return number % limit;
    }
  }

  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[below(left)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace trainer
