#include "distil/relation/relational_angle.hpp"

#include "../support/cases/relational_angle.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<relational_angle_case> const suites("relational_angle");

TEST(relational_angle, does_not_see_scale_rotation_and_place) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return 5 - 3 * b.student.at(n, (c + 1) % 4); });
  EXPECT_NEAR(relational_angle(b.student.matrix(), b.teacher.matrix()), 0.0, 1e-15);
}

TEST(relational_angle, knows_a_right_angle) {
  // A right angle at the origin with two of 45 degrees, against three samples on a line, cosines 1, -1 and 1.
  std::vector<double> const student{0, 0, 1, 0, 0, 1}, teacher{0, 1, -1};
  double const square = (1 - std::sqrt(0.5)) * (1 - std::sqrt(0.5)) / 2;
  double const value = relational_angle(matrix_view<double const>(student.data(), 3, 2),
                                        matrix_view<double const>(teacher.data(), 3, 1));
  EXPECT_NEAR(value, 2 * (0.5 + 2 * square) / 27, 1e-15);
}

TEST(relational_angle, passes_over_samples_that_coincide) {
  pair_batch<double> b({{6, 5, 1, 1}, {6, 8, 1, 1}});
  for (index c = 0; c < 5; ++c) b.student.set(2, c, b.student.at(4, c));
  relational_angle_case::setting const s;
  EXPECT_NEAR(relational_angle_case::with_grad(serial, b, b.gradient, s, false).value,
              static_cast<double>(relational_angle_case::of(b.student.exact(), b.teacher.exact(), s)), 1e-14);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_TRUE(std::isfinite(b.gradient.at(n, c, y, x)));
  });
}

TEST(relational_angle, sums_over_blocks_of_anchors_and_columns) {
  // More samples than a block has columns: 128 in double, 256 in float.
  relational_angle_case::setting const s;
  pair_batch<double> wide({{140, 3, 1, 1}, {140, 2, 1, 1}});
  EXPECT_NEAR(relational_angle_case::value(serial, wide, s).value,
              static_cast<double>(relational_angle_case::of(wide.student.exact(), wide.teacher.exact(), s)),
              1e-12);
  pair_batch<float> b({{270, 3, 1, 1}, {270, 2, 1, 1}});
  pair_batch<double> exact({{270, 3, 1, 1}, {270, 2, 1, 1}});
  exact.student.fill([&](index n, index c, index y, index x) { return b.student.at(n, c, y, x); });
  exact.teacher.fill([&](index n, index c, index y, index x) { return b.teacher.at(n, c, y, x); });
  double const in_float = relational_angle_case::with_grad(serial, b, b.gradient, s, false);
  double const in_double = relational_angle_case::with_grad(serial, exact, exact.gradient, s, false);
  EXPECT_NEAR(in_float, in_double, 1e-5);
  double largest = 0, error = 0;
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    largest = std::max(largest, std::abs(exact.gradient.at(n, c, y, x)));
    error = std::max(error, std::abs(b.gradient.at(n, c, y, x) - exact.gradient.at(n, c, y, x)));
  });
  EXPECT_LT(error, 1e-3 * largest);
}

}  // namespace
}  // namespace distil::testing
