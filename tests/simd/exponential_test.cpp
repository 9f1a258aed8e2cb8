#include "distil/simd/exponential.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "ulps.hpp"

namespace distil::simd {
namespace {

using testing::worst_ulps;

template <class T>
class exponential : public ::testing::Test {
 protected:
  static constexpr double bound = sizeof(T) == sizeof(float) ? 1.05 : 1.5;

  static T of(T x) {
    T values[static_cast<std::size_t>(lanes<T>::size)];
    exp_nonpositive(lanes<T>(x)).store(values);
    return values[0];
  }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(exponential, arithmetic);

TYPED_TEST(exponential, is_within_its_bound_up_to_zero) {
  using T = TypeParam;
  double const lowest = std::log(static_cast<double>(std::numeric_limits<T>::min())) + 1e-4;
  auto const vector = [](lanes<T> x) { return exp_nonpositive(x); };
  auto const exact = [](long double x) { return std::exp(x); };
  EXPECT_LE(worst_ulps<T>(
                50000, [&](double t) { return lowest * t; }, vector, exact),
            this->bound);
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return -std::exp2(-60 * t); }, vector, exact),
            this->bound)
      << "near zero";
  T const worst_known = T(-27.3779926F);  // of all floats in [-87.3, -0.001]
  EXPECT_LE(testing::ulps(this->of(worst_known), exact(worst_known)), this->bound);
  EXPECT_EQ(this->of(T(0)), T(1));
  EXPECT_EQ(this->of(T(-0.0)), T(1));
  EXPECT_EQ(this->of(-std::numeric_limits<T>::denorm_min()), T(1));
}

// Whole and half multiples of log 2 are where the reduction of the argument turns over.
TYPED_TEST(exponential, is_within_its_bound_where_the_reduction_turns) {
  using T = TypeParam;
  for (int half_steps = 0; half_steps <= 250; ++half_steps) {
    T x = static_cast<T>(-0.5 * half_steps * std::log(2.0));
    for (int i = 0; i < 3; ++i) x = std::nextafter(x, T(1));
    for (int i = 0; i < 6; ++i, x = std::nextafter(x, T(-1000))) {
      if (x <= 0) {
        ASSERT_LE(testing::ulps(this->of(x), std::exp(static_cast<long double>(x))), this->bound) << x;
      }
    }
  }
}

TYPED_TEST(exponential, vanishes_or_is_subnormal_below) {
  using T = TypeParam;
  T const smallest = std::numeric_limits<T>::min();
  T const edge = std::log(smallest);
  for (int step = 1; step <= 4000; ++step) {
    T const x = edge - T(step) / T(16);
    EXPECT_GE(this->of(x), T(0)) << x;
    EXPECT_LT(this->of(x), smallest) << x;
  }
  for (T const x :
       {T(-1e4), T(-1e30), std::numeric_limits<T>::lowest(), -std::numeric_limits<T>::infinity()}) {
    EXPECT_EQ(this->of(x), T(0)) << x;
  }
}

TYPED_TEST(exponential, of_nan_is_nan) {
  EXPECT_TRUE(std::isnan(this->of(std::numeric_limits<TypeParam>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(this->of(-std::numeric_limits<TypeParam>::quiet_NaN())));
}

// Powers of two are what the sweeps take.
template <class T>
class power_of_two : public ::testing::Test {
 protected:
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  static constexpr double bound = sizeof(T) == sizeof(float) ? 1.05 : 1.2;
#else
  static constexpr double bound = sizeof(T) == sizeof(float) ? 1.3 : 1.4;
#endif
  static T of(T y) {
    T values[static_cast<std::size_t>(lanes<T>::size)];
    exp2_nonpositive(lanes<T>(y)).store(values);
    return values[0];
  }
};
TYPED_TEST_SUITE(power_of_two, arithmetic);

TYPED_TEST(power_of_two, is_within_its_bound_up_to_zero) {
  using T = TypeParam;
  double const lowest = std::log2(static_cast<double>(std::numeric_limits<T>::min()));
  auto const vector = [](lanes<T> y) { return exp2_nonpositive(y); };
  auto const exact = [](long double y) { return std::exp2(y); };
  EXPECT_LE(worst_ulps<T>(
                50000, [&](double t) { return lowest * t; }, vector, exact),
            this->bound);
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return -std::exp2(-60 * t); }, vector, exact),
            this->bound)
      << "near zero";
  for (T const worst_known : {T(-0.476330251F), T(-0.486705482F)}) {  // with and without fused multiplication
    EXPECT_LE(testing::ulps(this->of(worst_known), exact(worst_known)), this->bound);
  }
}

TYPED_TEST(power_of_two, of_a_whole_number_is_exact) {
  using T = TypeParam;
  for (int n = 0; n >= std::numeric_limits<T>::min_exponent - 1; --n) {
    ASSERT_EQ(this->of(static_cast<T>(n)), std::ldexp(T(1), n)) << n;
  }
  EXPECT_EQ(this->of(T(-0.0)), T(1));
}

TYPED_TEST(power_of_two, vanishes_or_is_less_below_the_smallest_normal_number) {
  using T = TypeParam;
  T const smallest = std::numeric_limits<T>::min();
  T const edge = static_cast<T>(std::numeric_limits<T>::min_exponent - 1);
  for (int step = 1; step <= 4000; ++step) {
    T const y = edge - T(step) / T(16);
    EXPECT_GE(this->of(y), T(0)) << y;
    EXPECT_LT(this->of(y), smallest) << y;
  }
  T const gone = 2 * edge;
  for (T const y :
       {gone, T(-1e4), T(-1e30), std::numeric_limits<T>::lowest(), -std::numeric_limits<T>::infinity()}) {
    EXPECT_EQ(this->of(y), T(0)) << y;
  }
}

TYPED_TEST(power_of_two, of_nan_is_nan_whatever_its_payload) {
  using T = TypeParam;
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  bits const quiet = std::bit_cast<bits>(std::numeric_limits<T>::quiet_NaN());
  bits const sign = bits{1} << (8 * sizeof(T) - 1);
  for (int bit = 0; bit < std::numeric_limits<T>::digits - 2; ++bit) {
    for (bits const payload : {bits{1} << bit, (bits{1} << bit) - 1}) {
      EXPECT_TRUE(std::isnan(this->of(std::bit_cast<T>(quiet | payload)))) << bit;
      EXPECT_TRUE(std::isnan(this->of(std::bit_cast<T>(quiet | payload | sign)))) << bit;
    }
  }
}

}  // namespace
}  // namespace distil::simd
