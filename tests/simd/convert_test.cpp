#include "distil/simd/convert.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace distil::testing {

/// A 16-bit type of somebody else.
struct foreign_half {
  std::uint16_t bits = 0;
  foreign_half() = default;
  explicit foreign_half(float value) : bits(half(value).bits) {}
  explicit operator float() const {
    half own;
    own.bits = bits;
    return static_cast<float>(own);
  }
};

}  // namespace distil::testing

namespace distil {

template <>
struct arithmetic_of<testing::foreign_half> {
  using type = float;
};
template <>
struct detail::same_bits_as<testing::foreign_half> {
  using type = half;
};

namespace simd {
namespace {

template <class T, class Storage>
struct conversion {
  using arithmetic = T;
  using stored = Storage;
};

/// The same number to the last bit, or NaN of the same sign.
template <class T>
::testing::AssertionResult same(T found, T expected) {
  auto const wide_found = static_cast<arithmetic_t<T>>(found);
  auto const wide_expected = static_cast<arithmetic_t<T>>(expected);
  bool const both_nan = std::isnan(wide_found) && std::isnan(wide_expected);
  bool const equal = both_nan || wide_found == wide_expected;
  if (equal && std::signbit(wide_found) == std::signbit(wide_expected)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << wide_found << " instead of " << wide_expected;
}

/// All numbers that a 16-bit type can hold, infinities and NaN among them.
template <class Storage>
std::vector<Storage> every_pattern() {
  std::vector<Storage> result(65536);
  for (std::size_t i = 0; i < result.size(); ++i) result[i].bits = static_cast<std::uint16_t>(i);
  return result;
}

/// Where rounding to a 16-bit type may go wrong: its numbers, the ties between them, the neighbours of both; and floats
/// of every exponent.
template <class Storage>
std::vector<float> hard_floats() {
  std::vector<float> result;
  float const infinite = std::numeric_limits<float>::infinity();
  auto const with_neighbours = [&](float value) {
    result.insert(result.end(), {value, std::nextafter(value, infinite), std::nextafter(value, -infinite)});
  };
  for (std::uint32_t i = 0; i < 65536; ++i) {
    Storage lower, upper;
    lower.bits = static_cast<std::uint16_t>(i);
    upper.bits = static_cast<std::uint16_t>(i + 1);
    float const a = static_cast<float>(lower), b = static_cast<float>(upper);
    with_neighbours(a);
    if (std::isfinite(a) && std::isfinite(b)) with_neighbours(a / 2 + b / 2);
  }
  for (float const sign : {1.0F, -1.0F}) {
    with_neighbours(sign * 65520.0F);      // the tie between the largest half and infinity
    with_neighbours(sign * 0x1.FFp+127F);  // the same of bfloat16
    with_neighbours(sign * 0x1.FEFFFEp+127F);
    with_neighbours(sign * 0x1p-25F);  // half of the least subnormal half
    with_neighbours(sign * std::numeric_limits<float>::max());
    with_neighbours(sign * std::numeric_limits<float>::denorm_min());
  }
  for (std::uint32_t word = 0; word < 0xFFFF0000U; word += 4093) result.push_back(std::bit_cast<float>(word));
  return result;
}

/// Elements of a longer array before and after the row.
constexpr index margin = 3;

template <class Case>
class convert_test : public ::testing::Test {
 protected:
  static constexpr index size = lanes<typename Case::arithmetic>::size;

  template <class Element>
  static std::vector<Element> filled(index count, float value) {
    return std::vector<Element>(static_cast<std::size_t>(count),
                                Element(static_cast<arithmetic_t<Element>>(value)));
  }
  /// Most of them, and of their sums, are rounded when they are stored.
  static typename Case::arithmetic number_at(index i) {
    return static_cast<typename Case::arithmetic>(static_cast<double>((i * 37) % 101 - 50) * 1.0009765625);
  }
};

using conversions =
    ::testing::Types<conversion<float, half>, conversion<float, bfloat16>, conversion<double, half>,
                     conversion<double, bfloat16>, conversion<double, float>, conversion<float, double>,
                     conversion<float, float>, conversion<double, double>,
                     conversion<float, testing::foreign_half>>;
TYPED_TEST_SUITE(convert_test, conversions);

TYPED_TEST(convert_test, rows_of_any_length_widen_and_nothing_else_is_written) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  for (index count = 1; count <= 3 * TestFixture::size + 1; ++count) {
    for (index offset = 0; offset < margin; ++offset) {
      auto from = TestFixture::template filled<Storage>(offset + count, 0.0F);  // ends with the row
      for (index i = 0; i < count; ++i)
        from[static_cast<std::size_t>(offset + i)] = detail::narrow<Storage>(TestFixture::number_at(i));
      auto to = TestFixture::template filled<T>(count + 2 * margin, -7.0F);
      widen_row(from.data() + offset, count, to.data() + margin);
      for (index i = 0; i < count + 2 * margin; ++i) {
        bool const inside = i >= margin && i < margin + count;
        T const expected =
            inside ? detail::widen<T>(from[static_cast<std::size_t>(offset + i - margin)]) : T(-7);
        ASSERT_TRUE(same(to[static_cast<std::size_t>(i)], expected)) << count << " elements, " << i;
      }
    }
  }
}

TYPED_TEST(convert_test, rows_of_any_length_narrow_and_nothing_else_is_written) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  for (bool const adds : {false, true}) {
    for (index count = 1; count <= 3 * TestFixture::size + 1; ++count) {
      auto from = TestFixture::template filled<T>(count, 0.0F);
      for (index i = 0; i < count; ++i) from[static_cast<std::size_t>(i)] = TestFixture::number_at(i);
      auto to = TestFixture::template filled<Storage>(count + 2 * margin, -0.3F);
      T const before = detail::widen<T>(to[0]);
      if (adds) narrow_row<true>(from.data(), count, to.data() + margin);
      if (!adds) narrow_row<false>(from.data(), count, to.data() + margin);
      for (index i = 0; i < count + 2 * margin; ++i) {
        bool const inside = i >= margin && i < margin + count;
        T const expected = !inside ? before : (adds ? before : T(0)) + TestFixture::number_at(i - margin);
        ASSERT_TRUE(same(to[static_cast<std::size_t>(i)], detail::narrow<Storage>(expected)))
            << count << " elements, " << i << (adds ? ", added" : "");
      }
    }
  }
}

template <class Case>
class exact_conversion : public convert_test<Case> {};
using conversions_of_16_bits = ::testing::Types<conversion<float, half>, conversion<float, bfloat16>,
                                                conversion<double, half>, conversion<double, bfloat16>>;
TYPED_TEST_SUITE(exact_conversion, conversions_of_16_bits);

TYPED_TEST(exact_conversion, every_pattern_widens_as_one_element_does) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  auto const patterns = every_pattern<Storage>();
  std::vector<T> found(patterns.size());
  widen_row(patterns.data(), static_cast<index>(patterns.size()), found.data());
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    ASSERT_TRUE(same(found[i], detail::widen<T>(patterns[i]))) << "pattern " << i;
  }
}

TYPED_TEST(exact_conversion, hard_numbers_narrow_as_one_element_does) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  std::vector<T> hard;
  for (float const value : hard_floats<Storage>()) {
    hard.push_back(static_cast<T>(value));
    // Between two floats: a double is rounded to float first.
    if (sizeof(T) > sizeof(float)) hard.push_back(std::nextafter(static_cast<T>(value), T(0)));
  }
  std::vector<Storage> found(hard.size());
  narrow_row<false>(hard.data(), static_cast<index>(hard.size()), found.data());
  for (std::size_t i = 0; i < hard.size(); ++i) {
    ASSERT_TRUE(same(found[i], detail::narrow<Storage>(hard[i]))) << hard[i];
  }
}

TYPED_TEST(exact_conversion, every_nan_stays_nan) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  std::vector<float> nans;
  for (std::uint32_t const payload :
       {1U, 0x1FFFU, 0x2000U, 0xFFFFU, 0x10000U, 0x3FFFFFU, 0x400000U, 0x7FFFFFU}) {
    nans.push_back(std::bit_cast<float>(0x7F800000U | payload));
    nans.push_back(std::bit_cast<float>(0xFF800000U | payload));
  }
  std::vector<T> const wide(nans.begin(), nans.end());
  std::vector<Storage> found(wide.size());
  narrow_row<false>(wide.data(), static_cast<index>(wide.size()), found.data());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(std::isnan(static_cast<float>(found[i]))) << i;
    EXPECT_EQ(std::signbit(static_cast<float>(found[i])), i % 2 == 1) << i;
  }
}

}  // namespace
}  // namespace simd
}  // namespace distil
