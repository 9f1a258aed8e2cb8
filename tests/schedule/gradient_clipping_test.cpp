#include "distil/schedule/gradient_clipping.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using distil::testing::refusal_of;

template <class T>
struct gradient_clipping : ::testing::Test {
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  static constexpr T infinity = std::numeric_limits<T>::infinity();
};
using element_types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(gradient_clipping, element_types);

TYPED_TEST(gradient_clipping, by_norm_scales_to_the_maximum_and_returns_the_norm_before) {
  std::vector<TypeParam> gradient{3, 0, -4};
  EXPECT_EQ(clip_by_norm(gradient, 2.5), 5);
  EXPECT_EQ(gradient, (std::vector<TypeParam>{1.5, 0, -2}));
}

TYPED_TEST(gradient_clipping, by_norm_leaves_what_is_within) {
  std::vector<TypeParam> gradient{3, 0, -4};
  std::vector<TypeParam> const before = gradient;
  EXPECT_EQ(clip_by_norm(gradient, 5), 5);
  EXPECT_EQ(clip_by_norm(gradient, std::numeric_limits<double>::infinity()), 5);
  EXPECT_EQ(gradient, before);
}

TYPED_TEST(gradient_clipping, by_norm_counts_every_element_once_at_every_length) {
  for (std::size_t length = 0; length <= 40; ++length) {
    std::vector<TypeParam> gradient(length);
    double squares = 0;
    for (std::size_t i = 0; i < length; ++i) {
      gradient[i] = static_cast<TypeParam>(i + 1);
      squares += static_cast<double>((i + 1) * (i + 1));
    }
    EXPECT_EQ(clip_by_norm(gradient, 1e9), std::sqrt(squares)) << length;
    if (length == 0) continue;
    clip_by_norm(gradient, 1);
    EXPECT_NEAR(clip_by_norm(gradient, 1e9), 1, 8 * std::numeric_limits<TypeParam>::epsilon()) << length;
  }
}

TYPED_TEST(gradient_clipping, by_norm_of_nothing_and_of_zeros_is_zero) {
  EXPECT_EQ(clip_by_norm(std::span<TypeParam>{}, 1), 0);
  std::vector<TypeParam> gradient(20);
  EXPECT_EQ(clip_by_norm(gradient, 1), 0);
  EXPECT_EQ(gradient, std::vector<TypeParam>(20));
}

TYPED_TEST(gradient_clipping, by_norm_neither_overflows_nor_vanishes) {
  using limits = std::numeric_limits<TypeParam>;
  auto const root = static_cast<TypeParam>(limits::max() / 8);
  std::vector<TypeParam> large(9, root);  // the norm is 3 root; its square is far out of range
  EXPECT_DOUBLE_EQ(clip_by_norm(large, 1), 3 * static_cast<double>(root));
  for (TypeParam const element : large) EXPECT_NEAR(element, 1.0 / 3, 2 * limits::epsilon());

  std::vector<TypeParam> small(9, limits::denorm_min());
  EXPECT_EQ(clip_by_norm(small, 1), 3 * static_cast<double>(limits::denorm_min()));
  EXPECT_EQ(small.front(), limits::denorm_min());

  std::vector<TypeParam> tiny(16, limits::min());
  EXPECT_EQ(clip_by_norm(tiny, static_cast<double>(limits::min())), 4 * static_cast<double>(limits::min()));
  EXPECT_EQ(tiny.front(), limits::min() / 4);
}

TEST(gradient_clipping_double, by_norm_clips_even_where_the_norm_is_beyond_double) {
  std::vector<double> gradient(16, std::numeric_limits<double>::max());
  EXPECT_EQ(clip_by_norm(gradient, 1), std::numeric_limits<double>::infinity());
  for (double const element : gradient) EXPECT_NEAR(element, 0.25, 1e-15);
}

TYPED_TEST(gradient_clipping, by_norm_returns_what_is_not_finite_and_writes_nothing) {
  std::vector<TypeParam> with_infinity{1, -TestFixture::infinity, 2};
  std::vector<TypeParam> const before = with_infinity;
  EXPECT_EQ(clip_by_norm(with_infinity, 1), std::numeric_limits<double>::infinity());
  EXPECT_EQ(with_infinity, before);

  for (std::size_t where : {0U, 1U, 2U}) {
    std::vector<TypeParam> with_nan{5, TestFixture::infinity, 7};
    with_nan[where] = TestFixture::nan;
    EXPECT_TRUE(std::isnan(clip_by_norm(with_nan, 1)));
    EXPECT_TRUE(std::isnan(with_nan[where]));
    EXPECT_EQ(with_nan[where == 0 ? 2 : 0], where == 0 ? 7 : 5);
  }
}

TYPED_TEST(gradient_clipping, by_norm_over_several_pieces_is_one_norm) {
  std::vector<TypeParam> first{3, 0};
  std::vector<TypeParam> none;
  std::vector<TypeParam> second{-4};
  std::array<std::span<TypeParam>, 3> const pieces{first, none, second};
  EXPECT_EQ(clip_by_norm(pieces, 2.5), 5);
  EXPECT_EQ(first, (std::vector<TypeParam>{1.5, 0}));
  EXPECT_EQ(second, (std::vector<TypeParam>{-2}));

  second[0] = TestFixture::nan;
  EXPECT_TRUE(std::isnan(clip_by_norm(pieces, 0.5)));
  EXPECT_EQ(first[0], 1.5);
}

TYPED_TEST(gradient_clipping, by_value_brings_each_element_into_the_range) {
  std::vector<TypeParam> gradient{3, -0.5, -4, 1, TestFixture::infinity, -TestFixture::infinity};
  EXPECT_EQ(clip_by_value(gradient, 1), 4U);
  EXPECT_EQ(gradient, (std::vector<TypeParam>{1, -0.5, -1, 1, 1, -1}));
  EXPECT_EQ(clip_by_value(gradient, 1), 0U);
  EXPECT_EQ(clip_by_value(std::span<TypeParam>{}, 1), 0U);
}

TYPED_TEST(gradient_clipping, by_value_leaves_nan_where_it_is) {
  std::vector<TypeParam> gradient{TestFixture::nan, 5};
  EXPECT_EQ(clip_by_value(gradient, 1), 1U);
  EXPECT_TRUE(std::isnan(gradient[0]));
  EXPECT_EQ(gradient[1], 1);
}

TYPED_TEST(gradient_clipping, refuses_a_maximum_that_is_not_above_zero) {
  std::vector<TypeParam> gradient{3, -4};
  std::vector<TypeParam> const before = gradient;
  EXPECT_EQ(refusal_of([&] { clip_by_norm(gradient, 0); }),
            "distil::clip_by_norm: maximum is 0; it must be a number above 0");
  EXPECT_EQ(refusal_of([&] { clip_by_norm(gradient, std::nan("")); }),
            "distil::clip_by_norm: maximum is nan; it must be a number above 0");
  EXPECT_EQ(refusal_of([&] { clip_by_value(gradient, -1); }),
            "distil::clip_by_value: maximum is -1; it must be a number above 0");
  EXPECT_EQ(gradient, before);
}

}  // namespace
}  // namespace distil
