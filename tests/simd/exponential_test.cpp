#include "distil/simd/exponential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>

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

}  // namespace
}  // namespace distil::simd
