#include "distil/relation/probabilistic_transfer.hpp"

#include "../support/cases/probabilistic_transfer.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<probabilistic_transfer_case> const suites("probabilistic_transfer");

TEST(probabilistic_transfer, does_not_see_rotation_and_lengths) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) {
    return -static_cast<double>(n + 1) * b.student.at(n, (c + 1) % 4);
  });
  EXPECT_NEAR(probabilistic_transfer(b.student.matrix(), b.teacher.matrix()), 0.0, 1e-17);
}

TEST(probabilistic_transfer, keeps_the_digits_of_a_small_loss) {
  pair_batch<float> b({{9, 12, 1, 1}, {9, 12, 1, 1}});
  b.teacher.fill(
      [&](index n, index c, index, index) { return b.student.at(n, c) + (c == 0 ? 0.015625 : 0.0); });
  probabilistic_transfer_case::setting const s;
  auto const exact =
      static_cast<double>(probabilistic_transfer_case::of(b.student.exact(), b.teacher.exact(), s));
  EXPECT_NEAR(probabilistic_transfer(b.student.matrix(), b.teacher.matrix()), exact, 1e-3 * exact);
}

TEST(probabilistic_transfer, is_infinite_where_only_the_student_has_opposites) {
  std::vector<double> const student{1, -1}, teacher{1, 1};
  matrix_view<double const> const x(student.data(), 2, 1), y(teacher.data(), 2, 1);
  EXPECT_EQ(probabilistic_transfer(x, y, {.epsilon = 0}).value, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isfinite(probabilistic_transfer(x, y).value));
  EXPECT_EQ(probabilistic_transfer(x, x, {.epsilon = 0}).value, 0.0);
  // The other way round 0 log 0 is 0: both rows are (1, 0) against (1/2, 1/2).
  EXPECT_NEAR(probabilistic_transfer(y, x, {.epsilon = 0}), std::log(2.0) / 2, 1e-15);
}

TEST(probabilistic_transfer, refuses_what_is_no_epsilon) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 2, 1, 1}});
  EXPECT_EQ(refusal_of([&] {
              (void)probabilistic_transfer(b.student.matrix(), b.teacher.matrix(), {.epsilon = -1});
            }),
            "distil::probabilistic_transfer: epsilon is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
