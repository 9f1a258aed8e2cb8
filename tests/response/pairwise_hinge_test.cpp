#include "distil/response/pairwise_hinge.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/pairwise_hinge.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<pairwise_hinge_case> const suites("pairwise_hinge");

TEST(pairwise_hinge, of_all_candidates_matches_the_reference) {
  for (index const columns : {2, 33, 200}) {
    batch<float> b(5, columns);
    for (index c = 0; c < columns; ++c)
      b.teacher.set(0, c, static_cast<double>(c % 3));  // groups of equal ones
    expect_reference<pairwise_hinge_case>(b, pairwise_setting{{{.label = "all"}}}, {}, "float");
    batch<double> twin(5, columns);
    expect_reference<pairwise_hinge_case>(
        twin,
        pairwise_setting{{{.label = "all, by the teacher"}}, 1.0, pair_margin::times_teacher_difference}, {},
        "double");
  }
}

TEST(pairwise_hinge, of_a_pair_is_the_textbook_one) {
  std::vector<double> const student = {0.25, 1.0}, teacher = {7.0, 3.0};
  std::vector<double> gradient(2);
  matrix_view<double const> const z(student.data(), 1, 2), t(teacher.data(), 1, 2);
  EXPECT_EQ(pairwise_hinge.with_grad(z, t, matrix_view<double>(gradient.data(), 1, 2)).value, 1.75);
  EXPECT_EQ(gradient, (std::vector<double>{-1, 1}));
}

TEST(pairwise_hinge, is_nothing_where_the_student_leads_as_the_teacher_does) {
  batch<float> b(6, 40);
  double const loss = pairwise_hinge.with_grad(b.student.view(), b.student.view(), b.gradient.view(),
                                               {.margin_is = pair_margin::times_teacher_difference});
  EXPECT_EQ(loss, 0.0);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 40; ++c) EXPECT_EQ(b.gradient.at(r, c), 0.0);
  }
}

TEST(pairwise_hinge, does_not_count_rows_without_a_pair) {
  batch<float> b(3, 5);
  for (index c = 0; c < 5; ++c) b.teacher.set(1, c, 2.0);
  loss_value const loss = pairwise_hinge.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  EXPECT_EQ(loss.weight, 2.0);
  for (index c = 0; c < 5; ++c) EXPECT_EQ(b.gradient.at(1, c), 0.0);
}

TEST(pairwise_hinge, refuses) {
  batch<float> b(3, 4);
  auto const refusal = [&](pairwise_options const& options) {
    return refusal_of(
        [&] { pairwise_hinge.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options); });
  };
  EXPECT_EQ(refusal({.margin = -1}), "distil::pairwise_hinge: margin is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal({.margin_is = static_cast<pair_margin>(2)}),
            "distil::pairwise_hinge: margin_is is 2; it must be pair_margin::constant or "
            "pair_margin::times_teacher_difference");
  EXPECT_EQ(refusal({.pairs = static_cast<pair_reduction>(2)}),
            "distil::pairwise_hinge: pairs is 2; it must be pair_reduction::mean or pair_reduction::sum");
}

}  // namespace
}  // namespace distil::testing
