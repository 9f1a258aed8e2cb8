#include "distil/feature/adaptive_pool.hpp"

#include "../support/element_types.hpp"
#include "../support/owned_map.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

constexpr map_shape large_shape = {2, 3, 7, 5};
constexpr map_shape small_shapes[] = {{2, 3, 1, 1}, {2, 3, 3, 2}, {2, 3, 7, 5}, {2, 3, 4, 7}};

owned_map<double> drawn(map_shape const& shape, map_layout order, std::uint64_t seed) {
  owned_map<double> result(shape, order);
  numbers random(seed);
  result.fill([&](index, index, index, index) { return random.next(); });
  return result;
}

bool covers(index cell, index element, index from, index to) {
  return (element + 1) * to > cell * from && element * to < (cell + 1) * from;
}

/// Calls `body(n, c, i, j, y, x)` for every element of every part.
template <class Body>
void for_each_part(map_shape const& small, Body const& body) {
  for_each_element(small, [&](index n, index c, index i, index j) {
    for (index y = 0; y < large_shape[2]; ++y) {
      for (index x = 0; x < large_shape[3]; ++x) {
        if (covers(i, y, large_shape[2], small[2]) && covers(j, x, large_shape[3], small[3]))
          body(n, c, i, j, y, x);
      }
    }
  });
}

TEST(adaptive_average_pool, takes_means_of_parts_and_shares_back) {
  for (map_shape const& shape : small_shapes) {
    for (map_layout const order : every_layout) {
      auto const input = drawn(large_shape, order, 1), upstream = drawn(shape, order, 2);
      owned_map<double> output(shape, order), gradient(large_shape, order);
      exact_map count(shape), mean(shape), expected(large_shape);
      for_each_part(shape, [&](index n, index c, index i, index j, index y, index x) {
        count(n, c, i, j) += 1;
        mean(n, c, i, j) += input.at(n, c, y, x);
      });
      for_each_part(shape, [&](index n, index c, index i, index j, index y, index x) {
        expected(n, c, y, x) += upstream.at(n, c, i, j) / count(n, c, i, j);
      });
      adaptive_average_pool(input.map(), output.map());
      gradient.fill(0.5);
      adaptive_average_pool.pull_back(parallel, upstream.map(), gradient.map(), {.accumulate = true});
      for_each_element(shape, [&](index n, index c, index i, index j) {
        EXPECT_NEAR(output.at(n, c, i, j), static_cast<double>(mean(n, c, i, j) / count(n, c, i, j)), 1e-15);
      });
      for_each_element(large_shape, [&](index n, index c, index y, index x) {
        EXPECT_NEAR(gradient.at(n, c, y, x), static_cast<double>(0.5L + expected(n, c, y, x)), 1e-15);
      });
      EXPECT_EQ(output.damaged_guards() + gradient.damaged_guards(), 0);
    }
  }
}

TEST(adaptive_max_pool, takes_the_largest_and_gives_back_to_it) {
  for (map_shape const& shape : small_shapes) {
    for (map_layout const order : every_layout) {
      auto const input = drawn(large_shape, order, 1), upstream = drawn(shape, order, 2);
      owned_map<double> output(shape, order), gradient(large_shape, order);
      exact_map largest(shape), expected(large_shape);
      for (long double& value : largest.values) value = -10;
      for_each_part(shape, [&](index n, index c, index i, index j, index y, index x) {
        largest(n, c, i, j) = std::max<long double>(largest(n, c, i, j), input.at(n, c, y, x));
      });
      for_each_part(shape, [&](index n, index c, index i, index j, index y, index x) {
        if (input.at(n, c, y, x) == static_cast<double>(largest(n, c, i, j)))
          expected(n, c, y, x) += upstream.at(n, c, i, j);
      });
      adaptive_max_pool(parallel, input.map(), output.map());
      adaptive_max_pool.pull_back(input.map(), upstream.map(), gradient.map());
      for_each_element(shape, [&](index n, index c, index i, index j) {
        EXPECT_EQ(output.at(n, c, i, j), static_cast<double>(largest(n, c, i, j)));
      });
      for_each_element(large_shape, [&](index n, index c, index y, index x) {
        EXPECT_NEAR(gradient.at(n, c, y, x), static_cast<double>(expected(n, c, y, x)), 1e-15);
      });
      EXPECT_EQ(output.damaged_guards() + gradient.damaged_guards(), 0);
    }
  }
}

TEST(adaptive_max_pool, takes_the_first_of_equals_and_nan_before_all) {
  owned_map<float> input({1, 1, 1, 4}, map_layout::channels_first);
  owned_map<float> output({1, 1, 1, 1}, map_layout::channels_first);
  owned_map<float> gradient({1, 1, 1, 4}, map_layout::channels_first);
  input.fill(2.0);
  output.fill(3.0);
  adaptive_max_pool.pull_back(input.map(), output.map(), gradient.map());
  EXPECT_EQ(gradient.at(0, 0, 0, 0), 3.0);
  EXPECT_EQ(gradient.at(0, 0, 0, 1), 0.0);
  input.set(0, 0, 0, 2, std::nan(""));
  adaptive_max_pool(input.map(), output.map());
  EXPECT_TRUE(std::isnan(output.at(0, 0)));
}

TEST(adaptive_average_pool, takes_other_types_and_refuses) {
  owned_map<bfloat16> input({1, 2, 2, 2}, map_layout::channels_last);
  input.fill([](index, index c, index y, index x) { return static_cast<double>(4 * c + 2 * y + x); });
  owned_map<float> output({1, 2, 1, 1}, map_layout::channels_first);
  adaptive_average_pool(input.map(), output.map());
  EXPECT_EQ(output.at(0, 1), 5.5);
  owned_map<float> other({1, 3, 1, 1}, map_layout::channels_first);
  EXPECT_EQ(refusal_of([&] { adaptive_average_pool(input.map(), other.map()); }),
            "distil::adaptive_average_pool: output is 1 x 3 x 1 x 1; it must be of 1 samples and 2 channels, "
            "as input");
  EXPECT_EQ(refusal_of([&] { adaptive_average_pool(output.map(), output.map()); }),
            "distil::adaptive_average_pool: output is overlapping input; it must be apart from it");
  owned_map<float> gradient({1, 2, 3, 2}, map_layout::channels_first);
  EXPECT_EQ(refusal_of([&] { adaptive_max_pool.pull_back(input.map(), output.map(), gradient.map()); }),
            "distil::adaptive_max_pool: gradient is 1 x 2 x 3 x 2; it must be 1 x 2 x 2 x 2 as the input");
}

}  // namespace
}  // namespace distil::testing
