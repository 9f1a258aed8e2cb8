#include "distil/simd/logarithm.hpp"

#include <gtest/gtest.h>

#include "ulps.hpp"

namespace distil {
namespace {

using simd::lanes;
using testing::worst_ulps;

template <class T>
struct logarithm : ::testing::Test {
  static constexpr double bound = 1.2;
  static lanes<T> vector(lanes<T> x) { return log_normal(x); }
  static long double exact(long double x) { return std::log(x); }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(logarithm, arithmetic);

TYPED_TEST(logarithm, is_within_its_bound) {
  using T = TypeParam;
  double const lowest = std::log2(static_cast<double>(std::numeric_limits<T>::min()));
  auto const probabilities = [&](double t) { return std::exp2(lowest * t); };
  EXPECT_LE(worst_ulps<T>(50000, probabilities, this->vector, this->exact), this->bound);
  auto const above_one = [&](double t) { return std::exp2(-lowest * t); };
  EXPECT_LE(worst_ulps<T>(50000, above_one, this->vector, this->exact), this->bound);
  auto const near_one = [](double t) { return 0.5 + t; };
  EXPECT_LE(worst_ulps<T>(50000, near_one, this->vector, this->exact), this->bound);
}

TYPED_TEST(logarithm, is_exact_at_one_and_keeps_what_is_no_number) {
  using T = TypeParam;
  EXPECT_EQ(first_of(log_normal(lanes<T>(1))), T(0));
  EXPECT_TRUE(std::isnan(first_of(log_normal(lanes<T>(std::numeric_limits<T>::quiet_NaN())))));
  T const smallest = std::numeric_limits<T>::min();
  EXPECT_NEAR(first_of(log_normal(lanes<T>(smallest))), std::log(smallest), 1e-5);
}

}  // namespace
}  // namespace distil
