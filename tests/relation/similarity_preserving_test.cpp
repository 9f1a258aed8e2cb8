#include "distil/relation/similarity_preserving.hpp"

#include "../support/cases/similarity_preserving.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<similarity_preserving_case> const suites("similarity_preserving");

TEST(similarity_preserving, does_not_see_rotation_and_scale) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return -3 * b.student.at(n, (c + 1) % 4); });
  EXPECT_NEAR(similarity_preserving(b.student.matrix(), b.teacher.matrix()), 0.0, 1e-15);
}

TEST(similarity_preserving, leaves_out_rows_of_zeros) {
  pair_batch<float> b({{6, 5, 1, 1}, {6, 8, 1, 1}});
  for (index c = 0; c < 5; ++c) b.student.set(2, c, 0.0);
  similarity_preserving.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix());
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_TRUE(std::isfinite(b.gradient.at(n, c, y, x)));
  });
}

}  // namespace
}  // namespace distil::testing
