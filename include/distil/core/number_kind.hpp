#pragma once

#include <cstdint>
#include <type_traits>

#include "distil/core/float16.hpp"

namespace distil {

/// What numbers in memory are, where that is known at run time: labels, targets, weights.
enum class number_kind : std::uint8_t {
  none,
  float32,
  float64,
  bfloat16,
  half,
  int8,
  uint8,  ///< and bool
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64
};

namespace detail {

template <class Number>
constexpr number_kind kind_of_number() {
  using own = same_bits_as_t<Number>;
  if constexpr (std::is_same_v<own, float>) return number_kind::float32;
  if constexpr (std::is_same_v<own, double>) return number_kind::float64;
  if constexpr (std::is_same_v<own, bfloat16>) return number_kind::bfloat16;
  if constexpr (std::is_same_v<own, half>) return number_kind::half;
  if constexpr (std::is_integral_v<own>) {
    constexpr bool is_signed = std::is_signed_v<own>;
    switch (sizeof(own)) {
      case 1:
        return is_signed ? number_kind::int8 : number_kind::uint8;
      case 2:
        return is_signed ? number_kind::int16 : number_kind::uint16;
      case 4:
        return is_signed ? number_kind::int32 : number_kind::uint32;
      case 8:
        return is_signed ? number_kind::int64 : number_kind::uint64;
      default:
        break;
    }
  }
  return number_kind::none;
}

}  // namespace detail
}  // namespace distil
