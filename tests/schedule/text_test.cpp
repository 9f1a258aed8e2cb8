#include "distil/schedule/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace distil::schedule::detail {
namespace {

TEST(number_text, is_the_shortest_spelling) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(4.0), "4");
  EXPECT_EQ(number_text(1e-9), "1e-09");
  EXPECT_EQ(number_text(std::int64_t{-12}), "-12");
}

TEST(number_text, reads_back_to_the_same_bits) {
  for (double const value :
       {1.0 / 3, 0.1 + 0.2, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(),
        -std::numeric_limits<double>::epsilon(), -0.0}) {
    auto const back = number_of<double>(number_text(value));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, value);
    EXPECT_EQ(std::signbit(*back), std::signbit(value));
  }
}

TEST(number_of, what_is_not_wholly_a_number_is_none) {
  for (auto const* const text : {"", "x", "4x", " 4", "4 ", "+4", "1e", "1,5"}) {
    EXPECT_FALSE(number_of<double>(text).has_value()) << text;
  }
  EXPECT_FALSE(number_of<std::int64_t>("1.5").has_value());
  EXPECT_FALSE(number_of<std::int64_t>("9223372036854775808").has_value());
}

}  // namespace
}  // namespace distil::schedule::detail
