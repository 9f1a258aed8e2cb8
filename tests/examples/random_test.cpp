#include "trainer/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace {

TEST(random_numbers, are_those_of_splitmix64) {
  // The reference implementation of S. Vigna, seed 1234567.
  trainer::random_numbers random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(random_numbers, are_uniform) {
  trainer::random_numbers random(1);
  constexpr int draws = 100'000;
  std::array<int, 7> below{};
  std::array<int, 10> tenths{};
  for (int draw = 0; draw < draws; ++draw) {
    ++below[random.below(below.size())];
    ++tenths[static_cast<std::size_t>(random.uniform() * 10)];
  }
  // Five standard deviations of a binomial count.
  for (int const count : below) EXPECT_NEAR(count, draws / 7.0, 5 * 111);
  for (int const count : tenths) EXPECT_NEAR(count, draws / 10.0, 5 * 95);
}

TEST(random_numbers, shuffle_to_a_permutation_that_the_seed_decides) {
  auto const shuffled = [](std::uint64_t seed) {
    std::vector<int> items(50);
    std::iota(items.begin(), items.end(), 0);
    trainer::random_numbers(seed).shuffle(std::span(items));
    return items;
  };
  EXPECT_EQ(shuffled(1), shuffled(1));
  EXPECT_NE(shuffled(1), shuffled(2));
  std::vector<int> sorted = shuffled(1);
  EXPECT_FALSE(std::is_sorted(sorted.begin(), sorted.end()));
  std::sort(sorted.begin(), sorted.end());
  for (int at = 0; at < 50; ++at) EXPECT_EQ(sorted[static_cast<std::size_t>(at)], at);
}

}  // namespace
