#include "distil/response/margin_mse.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/margin_mse.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<margin_mse_case> const suites("margin_mse");

TEST(margin_mse, of_one_negative_is_the_papers) {
  std::vector<double> const student = {3.0, 1.0}, teacher = {9.0, 5.5};
  std::vector<double> gradient(2);
  matrix_view<double const> const z(student.data(), 1, 2), t(teacher.data(), 1, 2);
  EXPECT_EQ(margin_mse.with_grad(z, t, matrix_view<double>(gradient.data(), 1, 2)).value, 2.25);
  EXPECT_EQ(gradient, (std::vector<double>{-3, 3}));
}

TEST(margin_mse, takes_the_first_as_the_positive_and_margins_as_a_teacher) {
  batch<double> b(5, 4);
  b.labels.assign(5, 0);
  double const expected = margin_mse_case::value(serial, b, {}, {});
  EXPECT_EQ(margin_mse(b.student.view(), b.teacher.view()), expected);
  for (index r = 0; r < 5; ++r) {
    for (index c = 3; c >= 0; --c) b.teacher.set(r, c, b.teacher.at(r, c) - b.teacher.at(r, 0));
  }
  EXPECT_NEAR(margin_mse(b.student.view(), b.teacher.view()), expected, 1e-13);
}

TEST(margin_mse, refuses) {
  batch<float> b(3, 4);
  auto const refusal = [&](std::vector<std::int32_t> const& positives) {
    return refusal_of([&] {
      margin_mse.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.positives = positives});
    });
  };
  EXPECT_EQ(refusal({0, -100, 3}), "");
  EXPECT_EQ(refusal({0, 4, 3}),
            "distil::margin_mse: positive is 4 in row 1; it must be within [0, 4) or the ignored label -100");
  EXPECT_EQ(refusal({0, 1}), "distil::margin_mse: positives is of size 2; it must be one per row, 3");
  EXPECT_EQ(refusal_of([&] { margin_mse.with_grad(b.student.view(), b.teacher.view(), b.teacher.view()); }),
            "distil::margin_mse: gradient is overlapping the teacher; it must be apart from the teacher");
}

}  // namespace
}  // namespace distil::testing
