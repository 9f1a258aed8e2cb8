#include "distil/relation/centered_kernel_alignment.hpp"

#include "../support/cases/centered_kernel_alignment.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<centered_kernel_alignment_case> const suites("centered_kernel_alignment");

centered_kernel_alignment_options const debiased{.estimate = independence_estimate::debiased};

TEST(centered_kernel_alignment, does_not_see_scale_rotation_and_place) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return 5 - 3 * b.student.at(n, (c + 1) % 4); });
  EXPECT_NEAR(centered_kernel_alignment(b.student.matrix(), b.teacher.matrix()), 0.0, 1e-15);
  EXPECT_NEAR(centered_kernel_alignment(b.student.matrix(), b.teacher.matrix(), debiased), 0.0, 1e-15);
}

TEST(centered_kernel_alignment, keeps_the_digits_of_a_small_loss) {
  pair_batch<float> b({{9, 12, 1, 1}, {9, 12, 1, 1}});
  b.teacher.fill(
      [&](index n, index c, index, index) { return b.student.at(n, c) + (c == n ? 0.00390625 : 0.0); });
  centered_kernel_alignment_case::setting const s;
  auto const exact =
      static_cast<double>(centered_kernel_alignment_case::of(b.student.exact(), b.teacher.exact(), s));
  EXPECT_LT(exact, 1e-5);
  EXPECT_NEAR(centered_kernel_alignment(b.student.matrix(), b.teacher.matrix()), exact, 1e-2 * exact);
}

TEST(centered_kernel_alignment, is_one_where_a_side_says_nothing) {
  for (auto const& options : {centered_kernel_alignment_options{}, debiased}) {
    for (bool const of_student : {true, false}) {
      pair_batch<float> b({{6, 3, 1, 1}, {6, 5, 1, 1}});
      of_student ? b.student.fill(0.1) : b.teacher.fill(0.1);
      EXPECT_EQ(centered_kernel_alignment
                    .with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix(), options)
                    .value,
                1.0);
      for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
        EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0);
      });
    }
  }
}

TEST(centered_kernel_alignment, is_not_biased_by_many_features) {
  // Independent features of few samples: the biased estimate finds them alike.
  pair_batch<double> b({{12, 400, 1, 1}, {12, 400, 1, 1}});
  EXPECT_LT(centered_kernel_alignment(b.student.matrix(), b.teacher.matrix()), 0.2);
  EXPECT_GT(centered_kernel_alignment(b.student.matrix(), b.teacher.matrix(), debiased), 0.7);
}

}  // namespace
}  // namespace distil::testing
