#include "distil/core/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "../support/refusal.hpp"

namespace distil::detail {
namespace {

TEST(text_of, is_the_shortest_spelling) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(4.0), "4");
  EXPECT_EQ(text_of(1e-9), "1e-09");
  EXPECT_EQ(text_of(std::int64_t{-12}), "-12");
}

TEST(text_of, reads_back_to_the_same_bits) {
  for (double const value :
       {1.0 / 3, 0.1 + 0.2, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(),
        -std::numeric_limits<double>::epsilon(), -0.0}) {
    auto const back = number_of<double>(text_of(value));
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

TEST(field_reader, reads_the_fields_in_their_order_and_nothing_else) {
  auto const read = [](std::string_view text) {
    field_reader fields("reader", text, "count=... list=...");
    double sum = static_cast<double>(fields.integer("count"));
    fields.numbers("list", [&](double number) { sum += number; });
    fields.end();
    return sum;
  };
  EXPECT_EQ(read("count=2 list=1.5,2"), 5.5);
  EXPECT_EQ(read("count=2 list="), 2.0);
  using testing::refusal_of;
  EXPECT_EQ(refusal_of([&] { read("count=2"); }),
            "distil::reader: text is \"\" where list should stand; it must be what to_text made: count=... "
            "list=...");
  EXPECT_EQ(refusal_of([&] { read("count=2 list=1,"); }),
            "distil::reader: list is \"1,\"; it must be numbers with commas between");
  for (auto const* const text :
       {"", "list=1 count=2", "count=2 list=,", "count=2 list=1,,2", "count=2 list=1 ",
        "count=2 list=1 more=1", "count=2  list=1", "count=1.5 list=1"}) {
    EXPECT_NE(refusal_of([&] { read(text); }), "") << text;
  }
  EXPECT_EQ(list_text(std::array{0.1, 2.0}), "0.1,2");
}

}  // namespace
}  // namespace distil::detail
