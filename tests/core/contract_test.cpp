#include "distil/core/contract.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../support/refusal.hpp"

namespace distil {
namespace {

template <class Was, class MustBe>
std::string text(Was const& was, MustBe const& must_be) {
  return testing::refusal_of([&] { detail::require(false, "hinton_kd", "temperature", was, must_be); });
}

TEST(contract, names_loss_argument_value_and_expectation) {
  EXPECT_EQ(text(-1, "finite and > 0"), "distil::hinton_kd: temperature is -1; it must be finite and > 0");
  EXPECT_EQ(text(std::string_view("a null pointer"), std::string("a matrix")),
            "distil::hinton_kd: temperature is a null pointer; it must be a matrix");
}

TEST(contract, numbers_read_back_the_same) {
  EXPECT_EQ(detail::text_of(0.5), "0.5");
  EXPECT_EQ(detail::text_of(0.1F), "0.1");
  EXPECT_EQ(detail::text_of(1e-9), "1e-09");
  EXPECT_EQ(detail::text_of(4.0), "4");
  EXPECT_EQ(detail::text_of(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(detail::text_of(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(detail::text_of(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(detail::text_of(std::numeric_limits<long long>::min()), "-9223372036854775808");
  EXPECT_EQ(std::stod(detail::text_of(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(std::stod(detail::text_of(-std::numeric_limits<double>::max())),
            -std::numeric_limits<double>::max());
}

TEST(contract, a_costly_text_is_made_only_for_a_failure) {
  int made = 0;
  auto const costly = [&] {
    ++made;
    return std::string("3 x 4");
  };
  detail::require(true, "hinton_kd", "teacher", costly, costly);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(text(costly, "2 x 4"), "distil::hinton_kd: temperature is 3 x 4; it must be 2 x 4");
  EXPECT_EQ(made, 1);
}

TEST(contract, what_holds_is_accepted) {
  EXPECT_NO_THROW(detail::require(true, "hinton_kd", "temperature", 1, "finite and > 0"));
}

TEST(contract, with_exceptions_the_handler_is_not_asked) {
  contract_handler const before = set_contract_handler([](char const*) { FAIL() << "handler called"; });
  EXPECT_THROW(detail::fail("no"), std::invalid_argument);
  set_contract_handler(before);
}

TEST(contract, a_new_handler_gives_back_the_one_before) {
  contract_handler const first = [](char const*) {};
  contract_handler const original = set_contract_handler(first);
  EXPECT_EQ(set_contract_handler(nullptr), first);
  EXPECT_EQ(set_contract_handler(original), nullptr);
}

}  // namespace
}  // namespace distil
