#include "distil/response/one_for_all.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/one_for_all.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

row_suites<one_for_all_case> const suites("one_for_all");

TEST(one_for_all, of_power_1_is_soft_cross_entropy) {
  for (index const columns : {1, 2, 7, 60, 1500}) {
    batch<double> b(6, columns), other(6, columns);
    auto const z = b.student.view(), t = b.teacher.view();
    EXPECT_NEAR(one_for_all.with_grad(z, t, b.labels, b.gradient.view()),
                soft_cross_entropy.with_grad(z, t, other.gradient.view()), 1e-13);
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < columns; ++c) EXPECT_NEAR(b.gradient.at(r, c), other.gradient.at(r, c), 1e-15);
    }
  }
}

TEST(one_for_all, of_a_sure_teacher_multiplies_cross_entropy) {
  batch<double> b(6, 12);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 12; ++c) {
      b.teacher.set(r, c, c == b.labels[static_cast<std::size_t>(r)] ? 1.0 : minus_infinity);
    }
  }
  double const hard = cross_entropy(b.student.view(), b.labels);
  EXPECT_NEAR(one_for_all(b.student.view(), b.teacher.view(), b.labels, {.power = 2}), 3 * hard, 1e-13);
}

TEST(one_for_all, asks_nothing_of_a_label_that_both_have_masked) {
  batch<float> b(4, 9);
  for (index r = 0; r < 4; ++r) {
    b.student.set(r, b.labels[static_cast<std::size_t>(r)], minus_infinity);
    if (r < 2) b.teacher.set(r, b.labels[static_cast<std::size_t>(r)], minus_infinity);
  }
  std::vector<double> values(4);
  (void)one_for_all(b.student.view(), b.teacher.view(), b.labels, {.power = 0.5, .rows = {.values = values}});
  for (std::size_t r = 0; r < 4; ++r) EXPECT_EQ(std::isinf(values[r]), r >= 2);
  for (auto const& s : one_for_all_case::settings())
    expect_reference<one_for_all_case>(b, s, {}, "masked label");
}

TEST(one_for_all, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)one_for_all(z, t, b.labels, {.power = 0}); }),
            "distil::one_for_all: power is 0; it must be within [2^-6, 2^6]");
}

}  // namespace
}  // namespace distil::testing
