#include <gtest/gtest.h>

#include "quickstart/options.hpp"

namespace {

quickstart::options parsed(std::vector<char const*> const& arguments) {
  return quickstart::parse_options(arguments);
}

std::string refusal(std::vector<char const*> const& arguments) {
  try {
    static_cast<void>(parsed(arguments));
  } catch (quickstart::usage_error const& error) {
    return error.what();
  }
  return "";
}

TEST(quickstart_options, have_defaults) {
  auto const chosen = parsed({});
  EXPECT_EQ(chosen.seed, 1U);
  EXPECT_FALSE(chosen.epochs.has_value());
  EXPECT_EQ(chosen.temperature, "cosine:4:1");
  EXPECT_FALSE(chosen.quick);
}

TEST(quickstart_options, read_both_spellings) {
  auto const chosen =
      parsed({"--seed", "7", "--epochs=3", "--temperature", "2.5", "--soft-weight=linear:0.9:0.5",
              "--threads", "4", "--data", "some dir", "--report=a=b.html", "--seeds=2", "--quick"});
  EXPECT_EQ(chosen.seed, 7U);
  EXPECT_EQ(chosen.epochs, 3);
  EXPECT_EQ(chosen.temperature, "2.5");
  EXPECT_EQ(chosen.soft_weight, "linear:0.9:0.5");
  EXPECT_EQ(chosen.threads, 4);
  EXPECT_EQ(chosen.data, "some dir");
  EXPECT_EQ(chosen.report, "a=b.html");
  EXPECT_EQ(chosen.seeds, 2);
  EXPECT_TRUE(chosen.quick);
}

TEST(quickstart_options, refuse_what_they_do_not_know) {
  EXPECT_EQ(refusal({"--tempreature", "4"}), "\"--tempreature\" is not an option");
  EXPECT_EQ(refusal({"4"}), "\"4\" is not an option");
  EXPECT_EQ(refusal({"--epochs"}), "--epochs needs a value: --epochs N");
  EXPECT_EQ(refusal({"--quick=yes"}), "--quick takes no value");
}

TEST(quickstart_options, refuse_values_out_of_range) {
  EXPECT_EQ(refusal({"--epochs", "0"}), "--epochs is \"0\"; it must be a whole number from 1 to 1000");
  EXPECT_EQ(refusal({"--epochs", "3x"}), "--epochs is \"3x\"; it must be a whole number from 1 to 1000");
  EXPECT_EQ(refusal({"--seed", "-1"}),
            "--seed is \"-1\"; it must be a whole number from 0 to 18446744073709551615");
  EXPECT_EQ(refusal({"--threads", ""}), "--threads is \"\"; it must be a whole number from 1 to 1000");
  EXPECT_EQ(refusal({"--temperature", "warm"}), "--temperature is \"warm\"; it must be a number");
  EXPECT_EQ(refusal({"--temperature", "0"}),
            "--temperature is \"0\"; it must be a temperature from 0.05 to 100 from first to last");
  EXPECT_EQ(refusal({"--temperature", "nan"}).rfind("--temperature is \"nan\"", 0), 0U);
  EXPECT_EQ(refusal({"--schedule", "linear:4:0"}),
            "--schedule is \"linear:4:0\"; it must be a temperature from 0.05 to 100 from first to last");
  EXPECT_EQ(refusal({"--soft-weight", "1.5"}),
            "--soft-weight is \"1.5\"; it must be a weight from 0 to 1 from first to last");
}

TEST(quickstart_options, refuse_schedules_that_are_none) {
  EXPECT_EQ(refusal({"--schedule", "cosinus:4:1"}).rfind("--schedule is \"cosinus:4:1\": ", 0), 0U);
  EXPECT_EQ(refusal({"--schedule", ""}).rfind("--schedule is \"\": ", 0), 0U);
}

TEST(quickstart_options, refuse_two_temperatures) {
  EXPECT_EQ(refusal({"--temperature", "4", "--schedule", "cosine:4:1"}),
            "--temperature and --schedule both set the temperature; give one of them");
}

TEST(quickstart_options, are_all_in_the_help) {
  std::string const help = quickstart::help_text();
  for (char const* const name : {"--help", "--seed", "--epochs", "--temperature", "--soft-weight",
                                 "--schedule", "--threads", "--data", "--report", "--seeds", "--quick"}) {
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
}

}  // namespace
