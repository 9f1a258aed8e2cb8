#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "distil/core/language.hpp"

/// 16-bit storage types. They hold numbers and convert; arithmetic is done in `float`.
namespace distil {

/// The upper half of an IEEE binary32: 8 exponent bits, 7 fraction bits. Rounds to nearest even; NaN stays
/// NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  constexpr explicit bfloat16(float value) noexcept {
    std::uint32_t const word = std::bit_cast<std::uint32_t>(value);
    bool const is_nan = (word & 0x7FFFFFFFU) > 0x7F800000U;
    std::uint32_t const rounded = word + 0x7FFFU + ((word >> 16) & 1U);
    bits = static_cast<std::uint16_t>((is_nan ? (word | 0x00400000U) : rounded) >> 16);
  }
  constexpr explicit operator float() const noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
};

/// IEEE binary16: 5 exponent bits, 10 fraction bits, subnormals kept. Rounds to nearest even; NaN stays NaN,
/// what is past 65504 by half a unit or more becomes infinite.
struct half {
  std::uint16_t bits = 0;

  half() = default;
  constexpr explicit half(float value) noexcept {
    std::uint32_t const word = std::bit_cast<std::uint32_t>(value);
    std::uint32_t const sign = (word >> 16) & 0x8000U;
    std::uint32_t const magnitude = word & 0x7FFFFFFFU;
    std::uint32_t result = 0;
    if (magnitude > 0x7F800000U) {
      result = 0x7E00U | ((magnitude >> 13) & 0x3FFU);
    } else if (magnitude >= 0x477FF000U) {
      result = 0x7C00U;
    } else if (magnitude >= 0x38800000U) {  // normal in half: rebias the exponent, round the lower 13 bits
      result = (magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
    } else {  // subnormal in half: adding 0.5 makes the float adder round at 2^-24
      float const aligned = std::bit_cast<float>(magnitude) + 0.5F;
      result = std::bit_cast<std::uint32_t>(aligned) - 0x3F000000U;
    }
    bits = static_cast<std::uint16_t>(sign | result);
  }
  constexpr explicit operator float() const noexcept {
    std::uint32_t const sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    std::uint32_t const magnitude = static_cast<std::uint32_t>(bits & 0x7FFFU) << 13;
    if (magnitude >= 0x0F800000U) {  // infinite or NaN
      return std::bit_cast<float>(sign | magnitude | 0x7F800000U);
    }
    if (magnitude >= 0x00800000U) return std::bit_cast<float>(sign | (magnitude + 0x38000000U));
    float const subnormal = std::bit_cast<float>(magnitude + 0x38800000U) - std::bit_cast<float>(0x38800000U);
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(subnormal));
  }
};

/// The arithmetic type of a storage type: float and double stand for themselves, 16-bit types compute in
/// float. Specialise it (see adapters/eigen.hpp) for any 16-bit type that converts explicitly to and from
/// float.
template <class Storage>
struct arithmetic_of {};
template <>
struct arithmetic_of<float> {
  using type = float;
};
template <>
struct arithmetic_of<double> {
  using type = double;
};
template <>
struct arithmetic_of<bfloat16> {
  using type = float;
};
template <>
struct arithmetic_of<half> {
  using type = float;
};

template <class Storage>
using arithmetic_t = typename arithmetic_of<std::remove_const_t<Storage>>::type;

namespace detail {

/// Which of distil's own types has the bits of a 16-bit type of others. Said beside its `arithmetic_of`, it
/// brings the conversions of whole registers.
template <class Storage>
struct same_bits_as {
  using type = Storage;
};
template <class Storage>
using same_bits_as_t = typename same_bits_as<Storage>::type;

/// From storage to arithmetic in T, and back with one rounding (two from double to 16 bits).
template <class T, class Storage>
constexpr T widen(Storage value) noexcept {
  return static_cast<T>(static_cast<arithmetic_t<Storage>>(value));
}
template <class Storage, class T>
constexpr Storage narrow(T value) noexcept {
  return static_cast<Storage>(static_cast<arithmetic_t<Storage>>(value));
}

}  // namespace detail

/// A type that logits, features and gradients can be stored in.
template <class T>
concept storage = requires {
  typename arithmetic_t<T>;
};

}  // namespace distil
