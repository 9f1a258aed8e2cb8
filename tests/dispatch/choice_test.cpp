#include "distil/dispatch/choice.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using distil::detail::choose_architecture;

constexpr std::string_view built[] = {"x86-64", "x86-64-v3", "x86-64-v4"};

std::string refusal(std::span<std::string_view const> names, int level, std::string_view forced) {
  try {
    choose_architecture(names, level, forced);
    return "";
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
}

TEST(Choice, IsTheBestThatTheMachineRuns) {
  EXPECT_EQ(choose_architecture(built, 1, ""), 0U);
  EXPECT_EQ(choose_architecture(built, 2, ""), 0U);
  EXPECT_EQ(choose_architecture(built, 3, ""), 1U);
  EXPECT_EQ(choose_architecture(built, 4, ""), 2U);
}

TEST(Choice, IsTheForcedOne) {
  EXPECT_EQ(choose_architecture(built, 4, "x86-64"), 0U);
  EXPECT_EQ(choose_architecture(built, 4, "x86-64-v3"), 1U);
  EXPECT_EQ(choose_architecture(built, 4, "x86-64-v4"), 2U);
}

TEST(Choice, RefusesWhatIsNotBuilt) {
  EXPECT_EQ(
      refusal(built, 4, "x86-64-v2"),
      "distil::dispatch: DISTIL_FORCE_ARCH is x86-64-v2; it must be x86-64, x86-64-v3 or x86-64-v4, for "
      "which the program is built");
  EXPECT_NE(refusal(built, 4, "avx2"), "");
}

TEST(Choice, RefusesWhatTheMachineDoesNotRun) {
  EXPECT_EQ(
      refusal(built, 3, "x86-64-v4"),
      "distil::dispatch: DISTIL_FORCE_ARCH is x86-64-v4; it must be x86-64 or x86-64-v3, which this machine "
      "of level x86-64-v3 runs");
}

TEST(Choice, RefusesAMachineThatRunsNothingOfIt) {
  std::string_view const wide[] = {"x86-64-v3"};
  EXPECT_EQ(
      refusal(wide, 2, ""),
      "distil::dispatch: the level of this machine is x86-64-v2; it must be x86-64-v3, for which the program "
      "is built");
  EXPECT_EQ(choose_architecture(wide, 4, ""), 0U);
}

}  // namespace
