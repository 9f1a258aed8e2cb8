#include "distil/sweep/running_maximum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace distil::simd {
namespace {

template <class T>
class running_maximum_test : public ::testing::Test {
 protected:
  static constexpr std::size_t size = static_cast<std::size_t>(lanes<T>::size);
  using array = std::array<T, size>;

  static array array_of(lanes<T> value) {
    array result;
    value.store(result.data());
    return result;
  }
  /// The first lane has one value, the others have another.
  static lanes<T> first_and_others(T first, T others) {
    array values;
    values.fill(others);
    values[0] = first;
    return lanes<T>::load(values.data());
  }
  static void expect_first_and_others(lanes<T> found, T first, T others) {
    array const values = array_of(found);
    EXPECT_EQ(values[0], first);
    for (std::size_t i = 1; i < size; ++i) EXPECT_EQ(values[i], others) << i;
  }
  static void expect_all(lanes<T> found, T value) { expect_first_and_others(found, value, value); }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(running_maximum_test, arithmetic);

TYPED_TEST(running_maximum_test, begins_at_minus_infinity_and_shifts_by_nothing) {
  running_maximum<TypeParam> const maximum;
  TestFixture::expect_all(maximum.now, -infinity<TypeParam>);
  TestFixture::expect_all(maximum.shift(), TypeParam(0));
}

TYPED_TEST(running_maximum_test, along_a_row_all_lanes_share_the_maximum) {
  using T = TypeParam;
  running_maximum<T> maximum;
  EXPECT_TRUE(maximum.raise(along.max(TestFixture::first_and_others(T(2), T(-1)))));
  TestFixture::expect_all(maximum.now, T(2));
  TestFixture::expect_all(maximum.shift(), T(2));
  maximum.settle();
  EXPECT_FALSE(maximum.raise(along.max(TestFixture::first_and_others(T(2), T(1)))));
  EXPECT_FALSE(maximum.raise(along.max(lanes<T>(-infinity<T>))));
  TestFixture::expect_all(maximum.now, T(2));
}

TYPED_TEST(running_maximum_test, across_rows_every_lane_has_its_own) {
  using T = TypeParam;
  running_maximum<T> maximum;
  EXPECT_TRUE(maximum.raise(across.max(TestFixture::first_and_others(T(2), T(-1)))));
  TestFixture::expect_first_and_others(maximum.now, T(2), T(-1));
  maximum.settle();
  EXPECT_FALSE(maximum.raise(across.max(TestFixture::first_and_others(T(1), T(-2)))));
  EXPECT_TRUE(maximum.raise(across.max(TestFixture::first_and_others(T(3), T(-2))))) << "one lane is enough";
  TestFixture::expect_first_and_others(maximum.before, T(2), T(-1));
  TestFixture::expect_first_and_others(maximum.now, T(3), T(-1));
}

TYPED_TEST(running_maximum_test, a_row_without_a_finite_logit_shifts_by_nothing) {
  using T = TypeParam;
  running_maximum<T> maximum;
  EXPECT_FALSE(maximum.raise(across.max(lanes<T>(-infinity<T>))));
  maximum.raise(across.max(TestFixture::first_and_others(T(-infinity<T>), T(5))));
  TestFixture::expect_first_and_others(maximum.shift(), T(0), T(5));
  TestFixture::expect_all(maximum.decay(lanes<T>(1)), T(0));
}

TYPED_TEST(running_maximum_test, decay_is_nothing_before_the_first_finite_logit) {
  using T = TypeParam;
  running_maximum<T> maximum;
  maximum.raise(along.max(lanes<T>(7)));
  TestFixture::expect_all(maximum.decay(lanes<T>(1)), T(0));
  maximum.settle();
  TestFixture::expect_all(maximum.decay(lanes<T>(1)), T(1));
  maximum.raise(along.max(lanes<T>(11)));
  for (T const factor : TestFixture::array_of(maximum.decay(lanes<T>(0.5)))) {
    EXPECT_NEAR(factor, 0.25, 1e-7);
  }
}

TYPED_TEST(running_maximum_test, drift_is_the_change_of_what_was_shifted) {
  using T = TypeParam;
  running_maximum<T> maximum;
  maximum.raise(along.max(lanes<T>(6)));
  TestFixture::expect_all(maximum.drift(lanes<T>(0.5)), T(-3));  // from a shift by 0
  maximum.settle();
  TestFixture::expect_all(maximum.drift(lanes<T>(0.5)), T(0));
  maximum.raise(along.max(lanes<T>(10)));
  TestFixture::expect_all(maximum.drift(lanes<T>(0.5)), T(-2));
}

TYPED_TEST(running_maximum_test, decayed_sums_are_those_begun_with_the_final_maximum) {
  using T = TypeParam;
  double const logits[] = {-3, 1, 0.5, 4, -100, 4, 9};
  double const temperature = 2;
  running_maximum<T> maximum;
  lanes<T> sum(0), moment(0);  // of 2^u and 2^u u with u = (z - maximum) / T
  for (double const z : logits) {
    lanes<T> const inverse(1 / temperature);
    if (maximum.raise(along.max(lanes<T>(z)))) {
      moment = maximum.decay(inverse) * (moment + sum * maximum.drift(inverse));
      sum *= maximum.decay(inverse);
      maximum.settle();
    }
    lanes<T> const u = (lanes<T>(z) - maximum.shift()) * inverse;
    sum += exp2_nonpositive(u);
    moment += exp2_nonpositive(u) * u;
  }
  double expected_sum = 0, expected_moment = 0;
  for (double const z : logits) {
    double const u = (z - 9) / temperature;
    expected_sum += std::exp2(u);
    expected_moment += std::exp2(u) * u;
  }
  double const rounding = 20 * static_cast<double>(std::numeric_limits<T>::epsilon());
  EXPECT_NEAR(static_cast<double>(TestFixture::array_of(sum)[0]), expected_sum, rounding);
  EXPECT_NEAR(static_cast<double>(TestFixture::array_of(moment)[0]), expected_moment, rounding);
}

TYPED_TEST(running_maximum_test, the_maximum_of_a_block_is_found_in_every_register) {
  using T = TypeParam;
  index const width = lanes<T>::size;
  for (index const step : {width, width + 3}) {
    for (index steps = 0; steps <= 11; ++steps) {
      for (index top = 0; top < steps; ++top) {
        std::vector<T> values(static_cast<std::size_t>(12 * step),
                              T(50));  // what lies between is not looked at
        for (index k = 0; k < steps; ++k) {
          for (index lane = 0; lane < width; ++lane) {
            values[static_cast<std::size_t>(k * step + lane)] = k == top ? T(lane) - T(20) : T(-30);
          }
        }
        auto const found = TestFixture::array_of(
            block_maximum(strip<T>{values.data(), step}, block{0, steps * width, steps, steps, width}));
        for (index lane = 0; lane < width; ++lane) {
          ASSERT_EQ(found[static_cast<std::size_t>(lane)], T(lane) - T(20)) << top << " of " << steps;
        }
      }
    }
  }
  std::vector<T> const full(static_cast<std::size_t>(width), T(1)),
      partial(static_cast<std::size_t>(width), T(2));
  strip<T> const with_tail{full.data(), width, partial.data()};
  TestFixture::expect_all(block_maximum(with_tail, block{0, width + 1, 2, 1, width}), T(2));
  TestFixture::expect_all(block_maximum(strip<T>{nullptr, 0}, block{}), -infinity<T>);
}

}  // namespace
}  // namespace distil::simd
