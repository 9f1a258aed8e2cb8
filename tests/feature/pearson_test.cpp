#include "distil/feature/pearson.hpp"

#include "../support/cases/pearson.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<pearson_case> const suites("pearson");

TEST(pearson, is_one_less_the_correlation) {
  pair_batch<double> b({{3, 1, 2, 2}, {3, 1, 2, 2}});
  double sum_s = 0, sum_t = 0, ss = 0, tt = 0, st = 0;
  for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
    sum_s += b.student.at(n, c, y, x) / 12, sum_t += b.teacher.at(n, c, y, x) / 12;
  });
  for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
    double const s = b.student.at(n, c, y, x) - sum_s, t = b.teacher.at(n, c, y, x) - sum_t;
    ss += s * s, tt += t * t, st += s * t;
  });
  EXPECT_NEAR(pearson(b.student.map(), b.teacher.map(), {.epsilon = 0}),
              11.0 / 12 * (1 - st / std::sqrt(ss * tt)), 1e-14);
}

TEST(pearson, does_not_see_means_and_scales) {
  pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
  b.student.fill([&](index n, index c, index y, index x) { return 8 * b.teacher.at(n, c, y, x) - 100; });
  EXPECT_NEAR(pearson.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), {.epsilon = 0}), 0.0,
              1e-26);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_NEAR(b.gradient.at(n, c, y, x), 0.0, 1e-15);
  });
}

TEST(pearson, takes_constant_channels_for_zeros) {
  pair_batch<float> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
  b.student.fill([&](index n, index c, index y, index x) { return c == 0 ? 0.1 : b.student.at(n, c, y, x); });
  EXPECT_NEAR(pearson.with_grad(b.student.map(), b.teacher.map(), b.gradient.map()),
              static_cast<double>(pearson_case::of(b.student.exact(), b.teacher.exact(), {})), 1e-5);
  for (index n = 0; n < 3; ++n) EXPECT_EQ(b.gradient.at(n, 0, 1, 1), 0.0);
  EXPECT_NE(b.gradient.at(0, 1, 1, 1), 0.0);
}

/// What does not see scales does not see those at which squares and sums leave the range of the type.
TEST(pearson, keeps_moments_in_range) {
  pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}}), large({{3, 2, 4, 3}, {3, 2, 4, 3}});
  double const size = 0x1p1020;
  large.student.fill(
      [&](index n, index c, index y, index x) { return b.student.at(n, c, y, x) * (c == 0 ? size : 1.0); });
  large.teacher.fill([&](index n, index c, index y, index x) { return b.teacher.at(n, c, y, x) * size; });
  double const value = pearson.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), {.epsilon = 0});
  EXPECT_NEAR(
      pearson.with_grad(large.student.map(), large.teacher.map(), large.gradient.map(), {.epsilon = 0}),
      value, 1e-14);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    double const wanted = b.gradient.at(n, c, y, x) / (c == 0 ? size : 1.0);
    EXPECT_NEAR(large.gradient.at(n, c, y, x), wanted, 1e-13 * std::abs(wanted) + (c == 0 ? 1e-321 : 1e-15));
  });
}

TEST(pearson, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  EXPECT_EQ(refusal_of([&] { (void)pearson(b.student.map(), b.teacher.map(), {.epsilon = -1}); }),
            "distil::pearson: epsilon is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
