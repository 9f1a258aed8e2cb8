#include "distil/response/weighted_soft_label.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/weighted_soft_label.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

row_suites<weighted_soft_label_case> const suites("weighted_soft_label");

TEST(weighted_soft_label, is_soft_cross_entropy_with_the_papers_weights) {
  for (index const columns : {2, 10, 200}) {
    batch<double> b(8, columns), other(8, columns);
    auto const z = b.student.view(), t = b.teacher.view();
    std::vector<double> of_student(8), of_teacher(8), weights(8);
    (void)cross_entropy(z, b.labels, {.rows = {.values = of_student}});
    (void)cross_entropy(t, b.labels, {.rows = {.values = of_teacher}});
    for (std::size_t r = 0; r < 8; ++r) weights[r] = 1 - std::exp(-of_student[r] / of_teacher[r]);
    double const expected = soft_cross_entropy.with_grad(
        z, t, other.gradient.view(), {.temperature = 2, .rows = {.weights = weights, .normalizer = 8.0}});
    auto const found = weighted_soft_label.with_grad(z, t, b.labels, b.gradient.view());
    EXPECT_NEAR(found, expected, 1e-12);
    EXPECT_EQ(found.weight, 8.0);
    for (index r = 0; r < 8; ++r) {
      for (index c = 0; c < columns; ++c) EXPECT_NEAR(b.gradient.at(r, c), other.gradient.at(r, c), 1e-14);
    }
  }
}

TEST(weighted_soft_label, compares_two_that_are_both_all_but_sure) {
  // Cross entropies of e^-30 and e^-29, or far below the smallest number; both are 0 when log q_y is taken of a q_y that
  // rounds to 1.
  for (double const lead : {30.0, 300.0, 3000.0}) {
    batch<float> b(1, 2);
    batch<double> exact(1, 2);
    auto const set = [&](auto& of) {
      of.labels = {0};
      of.student.set(0, 0, lead), of.student.set(0, 1, 0), of.teacher.set(0, 0, lead - 1),
          of.teacher.set(0, 1, 0);
    };
    set(b), set(exact);
    expect_reference<weighted_soft_label_case>(b, setting{.label = "sure", .temperature = 100}, {},
                                               "both sure");
    double const soft = soft_cross_entropy(exact.student.view(), exact.teacher.view(), {.temperature = 100});
    EXPECT_NEAR(
        weighted_soft_label(b.student.view(), b.teacher.view(), b.labels, {.temperature = 100}) / soft,
        1 - std::exp(-std::exp(-1.0)), 1e-4);
  }
}

TEST(weighted_soft_label, gives_nothing_where_the_teacher_has_masked_the_label) {
  batch<float> b(2, 9);
  for (index r = 0; r < 2; ++r) b.teacher.set(r, b.labels[static_cast<std::size_t>(r)], minus_infinity);
  b.student.set(1, b.labels[1], minus_infinity);
  auto const found =
      weighted_soft_label.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view());
  EXPECT_EQ(found.value, 0.0);
  for (index c = 0; c < 9; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

}  // namespace
}  // namespace distil::testing
