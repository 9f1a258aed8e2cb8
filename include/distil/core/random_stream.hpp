#pragma once

#include <cmath>
#include <cstdint>

#include "distil/core/contract.hpp"
#include "distil/core/language.hpp"

namespace distil {

/// Random numbers that are the same for a seed on every machine and with every standard library, whose distributions are
/// not. Not for secrets.
///
/// Its state is one number: save it with `state()` and continue with `random_stream(state)`. Source: SplitMix64, Steele,
/// Lea and Flood 2014.
class random_stream {
 public:
  explicit constexpr random_stream(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] constexpr std::uint64_t state() const noexcept { return state_; }

  constexpr std::uint64_t bits() noexcept {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() noexcept { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

  /// Uniform in 0, ..., count - 1, to a bias of at most count / 2^53. Throws std::invalid_argument unless count is in
  /// [1, 2^53].
  std::int64_t below(std::int64_t count) {
    detail::require(count >= 1 && count <= std::int64_t{1} << 53, "random_stream", "count", count,
                    "within [1, 2^53]");
    auto const drawn = static_cast<std::int64_t>(uniform() * static_cast<double>(count));
    return drawn < count ? drawn : count - 1;
  }

  /// Normal with mean 0 and deviation 1, by Box and Muller; takes two numbers of the stream.
  double normal() noexcept {
    constexpr double two_pi = 6.283185307179586476925;
    double const radius = std::sqrt(-2.0 * std::log1p(-uniform()));
    return radius * std::cos(two_pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace distil
