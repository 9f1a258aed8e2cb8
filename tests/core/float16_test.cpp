#include "distil/core/float16.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace distil {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// What the tests need to know of a format: fraction bits, exponent of the smallest normal, largest number.
template <class T>
struct format;
template <>
struct format<half> {
  using independent = Eigen::half;
  static constexpr int fraction_bits = 10;
  static constexpr int smallest_exponent = -14;
  static constexpr double largest = 65504.0;
  static constexpr std::uint16_t infinity_bits = 0x7C00;
};
template <>
struct format<bfloat16> {
  using independent = Eigen::bfloat16;
  static constexpr int fraction_bits = 7;
  static constexpr int smallest_exponent = -126;
  static constexpr double largest = 0x1.FEp127;
  static constexpr std::uint16_t infinity_bits = 0x7F80;
};

template <class T>
T of_bits(unsigned bits) {
  T result;
  result.bits = static_cast<std::uint16_t>(bits);
  return result;
}

/// The number a pattern stands for, by the definition of the format.
template <class T>
double decoded(unsigned bits) {
  constexpr int fraction_bits = format<T>::fraction_bits;
  int const fraction = static_cast<int>(bits & ((1U << fraction_bits) - 1U));
  int const exponent = static_cast<int>((bits & 0x7FFFU) >> fraction_bits);
  double const leading = exponent == 0 ? 0.0 : 1.0;
  double const magnitude = std::ldexp(leading + std::ldexp(static_cast<double>(fraction), -fraction_bits),
                                      (exponent == 0 ? 1 : exponent) - 1 + format<T>::smallest_exponent);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// The nearest number of the format in double arithmetic, ties to even; past the last by half a step,
/// infinity.
template <class T>
double rounded(double value) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  int const exponent = std::max(std::ilogb(value), format<T>::smallest_exponent);
  double const step = std::ldexp(1.0, exponent - format<T>::fraction_bits);
  double const nearest = std::nearbyint(value / step) * step;
  return std::abs(nearest) > format<T>::largest ? std::copysign(HUGE_VAL, value) : nearest;
}

template <class T>
class float16 : public ::testing::Test {};
using formats = ::testing::Types<half, bfloat16>;
TYPED_TEST_SUITE(float16, formats);

TYPED_TEST(float16, every_pattern_stands_for_its_number_and_comes_back) {
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    TypeParam const stored = of_bits<TypeParam>(bits);
    float const value = static_cast<float>(stored);
    TypeParam const back(value);
    if ((bits & 0x7FFFU) > format<TypeParam>::infinity_bits) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(back))) << bits;
      ASSERT_EQ(back.bits & 0x8000U, bits & 0x8000U) << bits;
      ASSERT_EQ(back.bits & ~(1U << (format<TypeParam>::fraction_bits - 1)),
                bits & ~(1U << (format<TypeParam>::fraction_bits - 1)))
          << "the payload of the NaN " << bits << " changed beyond its quiet bit";
      continue;
    }
    ASSERT_EQ(back.bits, bits);
    if ((bits & 0x7FFFU) == format<TypeParam>::infinity_bits) {
      ASSERT_EQ(value, (bits & 0x8000U) != 0 ? -infinity : infinity);
    } else {
      ASSERT_EQ(static_cast<double>(value), decoded<TypeParam>(bits)) << bits;
      ASSERT_EQ(std::signbit(value), (bits & 0x8000U) != 0) << bits;
    }
  }
}

template <class T>
void expect_nearest(float value) {
  using independent = typename format<T>::independent;
  T const stored(value);
  float const found = static_cast<float>(stored);
  if (std::isnan(value)) {
    ASSERT_TRUE(std::isnan(found)) << std::bit_cast<std::uint32_t>(value);
    return;
  }
  ASSERT_EQ(static_cast<double>(found), rounded<T>(static_cast<double>(value)))
      << std::hexfloat << value << " became " << found;
  ASSERT_EQ(std::signbit(found), std::signbit(value)) << std::hexfloat << value;
  ASSERT_EQ(stored.bits, Eigen::numext::bit_cast<std::uint16_t>(independent(value)))
      << std::hexfloat << value << " differs from Eigen's";
}

TYPED_TEST(float16, rounds_to_nearest_even_over_all_exponents) {
  // An odd stride visits every exponent, each time with other low bits.
  for (std::uint64_t word = 0; word <= 0xFFFFFFFFULL; word += 4001) {
    expect_nearest<TypeParam>(std::bit_cast<float>(static_cast<std::uint32_t>(word)));
    if (this->HasFatalFailure()) return;
  }
}

TYPED_TEST(float16, ties_go_to_even_and_neighbours_of_ties_do_not) {
  for (unsigned bits = 0; bits < format<TypeParam>::infinity_bits; ++bits) {
    double const here = decoded<TypeParam>(bits);
    double const next = bits + 1U == format<TypeParam>::infinity_bits
                            ? 2 * here - decoded<TypeParam>(bits - 1U)
                            : decoded<TypeParam>(bits + 1U);
    float const tie = static_cast<float>(0.5 * (here + next));
    ASSERT_EQ(static_cast<double>(tie), 0.5 * (here + next)) << "a tie is a float";
    unsigned const even = (bits & 1U) == 0 ? bits : bits + 1U;
    ASSERT_EQ(TypeParam(tie).bits, even) << tie;
    ASSERT_EQ(TypeParam(-tie).bits, even | 0x8000U) << tie;
    ASSERT_EQ(TypeParam(std::nextafter(tie, 0.0F)).bits, bits) << tie;
    ASSERT_EQ(TypeParam(std::nextafter(tie, infinity)).bits, bits + 1U) << tie;
  }
}

TEST(half_range, ends_half_a_step_past_the_largest) {
  EXPECT_EQ(half(65504.0F).bits, 0x7BFFU);
  EXPECT_EQ(half(65519.99F).bits, 0x7BFFU);
  EXPECT_EQ(half(65520.0F).bits, 0x7C00U);
  EXPECT_EQ(half(-65520.0F).bits, 0xFC00U);
  EXPECT_EQ(half(1e10F).bits, 0x7C00U);
  EXPECT_EQ(half(0x1p-24F).bits, 1U);
  EXPECT_EQ(half(0x1p-25F).bits, 0U) << "half of the smallest subnormal ties to zero";
  EXPECT_EQ(half(0x1.000002p-25F).bits, 1U);
  EXPECT_EQ(half(-0x1p-26F).bits, 0x8000U) << "a zero keeps its sign";
}

TEST(bfloat16_range, keeps_subnormals_and_overflows_to_infinity) {
  EXPECT_EQ(bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80U);
  EXPECT_EQ(bfloat16(0x1.FEFFFEp127F).bits, 0x7F7FU);
  EXPECT_EQ(bfloat16(0x1p-133F).bits, 1U);
  EXPECT_EQ(bfloat16(0x1p-134F).bits, 0U);
  EXPECT_EQ(bfloat16(-infinity).bits, 0xFF80U);
}

TYPED_TEST(float16, every_nan_stays_a_nan_of_its_sign) {
  for (std::uint32_t payload = 1; payload < 0x800000U; payload += 4099) {
    for (std::uint32_t const sign : {0U, 0x80000000U}) {
      TypeParam const stored(std::bit_cast<float>(sign | 0x7F800000U | payload));
      ASSERT_TRUE(std::isnan(static_cast<float>(stored))) << payload;
      ASSERT_EQ((stored.bits & 0x8000U) != 0, sign != 0) << payload;
    }
  }
  EXPECT_TRUE(std::isnan(static_cast<float>(TypeParam(std::bit_cast<float>(0x7F800001U)))))
      << "a payload in the lowest bit alone";
}

TYPED_TEST(float16, converts_at_compile_time) {
  static_assert(static_cast<float>(TypeParam(1.5F)) == 1.5F);
  static_assert(static_cast<float>(TypeParam(-0x1p-24F)) == -0x1p-24F);
  static_assert(sizeof(TypeParam) == 2 && std::is_trivially_copyable_v<TypeParam>);
  static_assert(!std::is_convertible_v<float, TypeParam> && !std::is_convertible_v<TypeParam, float>,
                "storage is never mistaken for arithmetic");
  EXPECT_EQ(TypeParam().bits, 0U);
}

TEST(storage, has_the_arithmetic_it_computes_in) {
  static_assert(std::is_same_v<arithmetic_t<float>, float>);
  static_assert(std::is_same_v<arithmetic_t<double const>, double>);
  static_assert(std::is_same_v<arithmetic_t<half const>, float>);
  static_assert(std::is_same_v<arithmetic_t<bfloat16>, float>);
  static_assert(storage<float> && storage<half const> && !storage<int> && !storage<long double>);
}

}  // namespace
}  // namespace distil
