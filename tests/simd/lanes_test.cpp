#include "distil/simd/logarithm.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "ulps.hpp"

namespace distil::simd {
namespace {

using testing::ulps;
using testing::worst_ulps;

template <class T>
class lanes_test : public ::testing::Test {
 protected:
  static constexpr std::size_t size = static_cast<std::size_t>(lanes<T>::size);
  static constexpr T infinite = std::numeric_limits<T>::infinity();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  using array = std::array<T, size>;

  static array array_of(lanes<T> value) {
    array result;
    value.store(result.data());
    return result;
  }
  /// Lanes that all differ: start, start + step ...
  static array ramp(T start, T step) {
    array result;
    for (std::size_t i = 0; i < size; ++i) result[i] = start + static_cast<T>(i) * step;
    return result;
  }
  static lanes<T> load(array const& values) { return lanes<T>::load(values.data()); }

  /// A vector operation gives in every lane what the scalar one gives.
  template <class Vector, class Scalar>
  static void expect_lanewise(Vector const& vector, Scalar const& scalar) {
    for (array const& b : {ramp(T(0.5), T(0.75)), ramp(T(-3), T(1)), ramp(T(7), T(-2))}) {
      array const a = ramp(T(-2.25), T(1.25));
      array const found = array_of(vector(load(a), load(b)));
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(found[i], scalar(a[i], b[i])) << a[i] << ", " << b[i];
    }
  }
  template <class Compare>
  static void expect_comparison(Compare const& compare) {
    array const a = ramp(T(0), T(1));
    for (T const against : {T(-1), T(0), T(1), T(static_cast<T>(size) - 1), nan}) {
      lanes<T> const b(against);
      array const found = array_of(select(compare(load(a), b), lanes<T>(1), lanes<T>(0)));
      for (std::size_t i = 0; i < size; ++i)
        EXPECT_EQ(found[i] == 1, compare(a[i], against)) << a[i] << ", " << against;
    }
  }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(lanes_test, arithmetic);

TYPED_TEST(lanes_test, load_and_store_any_address) {
  std::vector<TypeParam> from(TestFixture::size + 2), to(TestFixture::size + 2, TypeParam(-1));
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<TypeParam>(i);
  lanes<TypeParam>::load(from.data() + 1).store(to.data() + 1);
  for (std::size_t i = 0; i < to.size(); ++i) {
    EXPECT_EQ(to[i], i == 0 || i + 1 == to.size() ? TypeParam(-1) : static_cast<TypeParam>(i));
  }
}

TYPED_TEST(lanes_test, a_number_fills_every_lane) {
  for (TypeParam const lane : TestFixture::array_of(lanes<TypeParam>(3))) EXPECT_EQ(lane, TypeParam(3));
  for (TypeParam const lane : TestFixture::array_of(lanes<TypeParam>(-0.5))) EXPECT_EQ(lane, TypeParam(-0.5));
}

TYPED_TEST(lanes_test, arithmetic_is_that_of_the_scalar) {
  using T = TypeParam;
  TestFixture::expect_lanewise([](auto a, auto b) { return a + b; }, std::plus<T>());
  TestFixture::expect_lanewise([](auto a, auto b) { return a - b; }, std::minus<T>());
  TestFixture::expect_lanewise([](auto a, auto b) { return a * b; }, std::multiplies<T>());
  TestFixture::expect_lanewise([](auto a, auto b) { return a / (b * b + 1); },
                               [](T a, T b) { return a / (b * b + 1); });
  TestFixture::expect_lanewise([](auto a, auto) { return -a; }, [](T a, T) { return -a; });
  TestFixture::expect_lanewise([](auto a, auto b) { return a += b; }, std::plus<T>());
  TestFixture::expect_lanewise([](auto a, auto b) { return a -= b; }, std::minus<T>());
  TestFixture::expect_lanewise([](auto a, auto b) { return a *= b; }, std::multiplies<T>());
}

TYPED_TEST(lanes_test, functions_are_those_of_the_scalar) {
  using T = TypeParam;
  TestFixture::expect_lanewise([](auto a, auto b) { return max(a, b); },
                               [](T a, T b) { return std::max(a, b); });
  TestFixture::expect_lanewise([](auto a, auto b) { return min(a, b); },
                               [](T a, T b) { return std::min(a, b); });
  TestFixture::expect_lanewise([](auto a, auto) { return abs(a); }, [](T a, T) { return std::abs(a); });
  TestFixture::expect_lanewise([](auto a, auto) { return sqrt(abs(a)); },
                               [](T a, T) { return std::sqrt(std::abs(a)); });
  TestFixture::expect_lanewise([](auto a, auto b) { return fma(a, b, a); },
                               [](T a, T b) { return a * b + a; });
  T const masked = -TestFixture::infinite;
  EXPECT_EQ(TestFixture::array_of(max(lanes<T>(masked), lanes<T>(-5)))[0], T(-5));
  EXPECT_EQ(TestFixture::array_of(min(lanes<T>(masked), lanes<T>(-5)))[0], masked);
}

TYPED_TEST(lanes_test, fma_rounds_once_or_twice) {
  using T = TypeParam;
  T const x = T(1) + std::numeric_limits<T>::epsilon();
  T const found = TestFixture::array_of(fma(lanes<T>(x), lanes<T>(x), lanes<T>(-1)))[0];
  T volatile const square = x * x;  // kept from being fused with what follows
  EXPECT_TRUE(found == std::fma(x, x, T(-1)) || found == square - T(1)) << found;
}

TYPED_TEST(lanes_test, comparisons_are_those_of_the_scalar) {
  TestFixture::expect_comparison([](auto a, auto b) { return a == b; });
  TestFixture::expect_comparison([](auto a, auto b) { return a != b; });
  TestFixture::expect_comparison([](auto a, auto b) { return a < b; });
  TestFixture::expect_comparison([](auto a, auto b) { return a <= b; });
  TestFixture::expect_comparison([](auto a, auto b) { return a > b; });
  TestFixture::expect_comparison([](auto a, auto b) { return a >= b; });
}

TYPED_TEST(lanes_test, masks_join_and_tell_whether_any_holds) {
  using T = TypeParam;
  T const last = static_cast<T>(TestFixture::size) - 1;
  lanes<T> const ramp = TestFixture::load(TestFixture::ramp(T(0), T(1)));
  EXPECT_TRUE(any(ramp == lanes<T>(last))) << "the last lane alone";
  EXPECT_TRUE(any(ramp == lanes<T>(0))) << "the first lane alone";
  EXPECT_FALSE(any(ramp > lanes<T>(last)));
  auto const ends = TestFixture::array_of(
      select((ramp == lanes<T>(0)) | (ramp == lanes<T>(last)), lanes<T>(1), lanes<T>(0)));
  auto const middle =
      TestFixture::array_of(select((ramp > lanes<T>(0)) & (ramp < lanes<T>(last)), lanes<T>(1), lanes<T>(0)));
  for (std::size_t i = 0; i < TestFixture::size; ++i) {
    bool const is_end = i == 0 || i + 1 == TestFixture::size;
    EXPECT_EQ(ends[i], is_end ? T(1) : T(0));
    EXPECT_EQ(middle[i], is_end ? T(0) : T(1));
  }
}

TYPED_TEST(lanes_test, what_is_not_selected_may_be_nan) {
  using T = TypeParam;
  auto const ramp = TestFixture::ramp(T(0), T(1));
  auto const found = TestFixture::array_of(
      select(TestFixture::load(ramp) < lanes<T>(1), lanes<T>(7), lanes<T>(TestFixture::nan)));
  EXPECT_EQ(found[0], T(7));
  for (std::size_t i = 1; i < TestFixture::size; ++i) EXPECT_TRUE(std::isnan(found[i]));
}

TYPED_TEST(lanes_test, zero_times_anything_is_zero) {
  using T = TypeParam;
  auto const product = [](T weight, T x) {
    return TestFixture::array_of(zero_safe_product(lanes<T>(weight), lanes<T>(x)))[0];
  };
  for (T const x : {TestFixture::infinite, -TestFixture::infinite, TestFixture::nan, T(3)}) {
    EXPECT_EQ(product(T(0), x), T(0)) << x;
    EXPECT_EQ(product(T(-0.0), x), T(0)) << x;
  }
  EXPECT_EQ(product(T(2), TestFixture::infinite), TestFixture::infinite);
  EXPECT_EQ(product(T(2), T(-3)), T(-6));
  EXPECT_TRUE(std::isnan(product(T(2), TestFixture::nan)));
  EXPECT_TRUE(std::isnan(product(TestFixture::nan, T(0))));
}

TYPED_TEST(lanes_test, sum_across_adds_halves_pairwise) {
  using T = TypeParam;
  typename TestFixture::array values;
  for (std::size_t i = 0; i < values.size(); ++i) {  // sizes at which the order shows in the last bits
    values[i] = std::sin(T(i) + T(1)) * std::pow(T(2), T((7 * i) % 11));
  }
  std::vector<T> sums(values.begin(), values.end());
  while (sums.size() > 1) {
    std::size_t const half = sums.size() / 2;
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    sums.resize(half);
  }
  for (T const lane : TestFixture::array_of(sum_across(TestFixture::load(values)))) EXPECT_EQ(lane, sums[0]);
}

TYPED_TEST(lanes_test, max_across_finds_the_largest_wherever_it_is) {
  using T = TypeParam;
  for (std::size_t top = 0; top < TestFixture::size; ++top) {
    auto values = TestFixture::ramp(T(-9), T(-1));
    values[top] = T(-2);
    for (T const lane : TestFixture::array_of(max_across(TestFixture::load(values))))
      EXPECT_EQ(lane, T(-2)) << top;
  }
  EXPECT_EQ(TestFixture::array_of(max_across(lanes<T>(-TestFixture::infinite)))[0], -TestFixture::infinite);
}

TYPED_TEST(lanes_test, exp_is_within_its_bound_up_to_zero) {
  using T = TypeParam;
  constexpr double bound = 1.6;
  double const lowest = sizeof(T) == sizeof(float) ? -87.0 : -700.0;
  auto const exponential = [](lanes<T> x) { return exp(x); };
  auto const exact = [](long double x) { return std::exp(x); };
  EXPECT_LE(worst_ulps<T>(
                40000, [&](double t) { return lowest * t; }, exponential, exact),
            bound);
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return -std::exp2(-60 * t); }, exponential, exact),
            bound)
      << "near zero";
  T const worst_known = T(-5.89141035F);  // of all floats in [-87, -0.001]
  EXPECT_LE(ulps<T>(TestFixture::array_of(exp(lanes<T>(worst_known)))[0], exact(worst_known)), bound);
  EXPECT_EQ(TestFixture::array_of(exp(lanes<T>(0)))[0], T(1));
}

TYPED_TEST(lanes_test, exp_vanishes_or_is_subnormal_below) {
  using T = TypeParam;
  T const smallest = std::numeric_limits<T>::min();
  T const edge = std::log(smallest);
  for (int step = 1; step <= 4000; ++step) {
    T const found = TestFixture::array_of(exp(lanes<T>(edge - T(step) / T(16))))[0];
    EXPECT_GE(found, T(0));
    EXPECT_LT(found, smallest) << edge - T(step) / T(16);
  }
  for (T const x : {T(-1e4), T(-1e30), std::numeric_limits<T>::lowest(), -TestFixture::infinite}) {
    EXPECT_EQ(TestFixture::array_of(exp(lanes<T>(x)))[0], T(0)) << x;
  }
  EXPECT_TRUE(std::isnan(TestFixture::array_of(exp(lanes<T>(TestFixture::nan)))[0]));
}

TYPED_TEST(lanes_test, log_is_accurate_from_one_upwards) {
  using T = TypeParam;
  auto const logarithm = [](lanes<T> x) { return log(x); };
  auto const exact = [](long double x) { return std::log(x); };
  EXPECT_LE(worst_ulps<T>(
                40000, [](double t) { return std::pow(10.0, 30 * t); }, logarithm, exact),
            1.0);
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return 1 + t; }, logarithm, exact),
            1.0)
      << "near one";
  EXPECT_EQ(TestFixture::array_of(log(lanes<T>(1)))[0], T(0));
  EXPECT_EQ(TestFixture::array_of(log(lanes<T>(0)))[0], -TestFixture::infinite);
  EXPECT_EQ(TestFixture::array_of(log(lanes<T>(TestFixture::infinite)))[0], TestFixture::infinite);
  EXPECT_TRUE(std::isnan(TestFixture::array_of(log(lanes<T>(TestFixture::nan)))[0]));
}

TYPED_TEST(lanes_test, logarithms_know_subnormal_and_other_arguments) {
  using T = TypeParam;
  auto const log_of = [](T x) { return TestFixture::array_of(log(lanes<T>(x)))[0]; };
  auto const log1p_of = [](T x) { return TestFixture::array_of(log1p(lanes<T>(x)))[0]; };
  for (T x = std::numeric_limits<T>::denorm_min(); x < 4 * std::numeric_limits<T>::min(); x *= 3) {
    EXPECT_LE(ulps(log_of(x), std::log(static_cast<long double>(x))), 1.0) << x;
  }
  EXPECT_TRUE(std::isnan(log_of(T(-1))));
  EXPECT_TRUE(std::isnan(log_of(-TestFixture::infinite)));
  EXPECT_EQ(log1p_of(T(-1)), -TestFixture::infinite);
  EXPECT_TRUE(std::isnan(log1p_of(T(-2))));
  EXPECT_EQ(log1p_of(TestFixture::infinite), TestFixture::infinite);
  EXPECT_TRUE(std::isnan(log1p_of(TestFixture::nan)));
}

TYPED_TEST(lanes_test, log1p_keeps_what_one_plus_x_would_lose) {
  using T = TypeParam;
  auto const logarithm = [](lanes<T> x) { return log1p(x); };
  auto const exact = [](long double x) { return std::log1p(x); };
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return -0.999 + 4 * t; }, logarithm, exact),
            1.0);
  EXPECT_LE(worst_ulps<T>(
                20000, [](double t) { return std::exp2(-60 * t); }, logarithm, exact),
            1.0);
}

}  // namespace
}  // namespace distil::simd
