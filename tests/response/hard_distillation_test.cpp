#include "distil/response/hard_distillation.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/hard_distillation.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<hard_distillation_case> const suites("hard_distillation");

std::vector<std::int32_t> choices(batch<double> const& b) {
  std::vector<std::int32_t> result;
  for (index r = 0; r < b.rows; ++r) {
    auto const row = b.teacher.row(r);
    result.push_back(static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return result;
}

TEST(hard_distillation, without_labels_is_the_teachers_part) {
  for (index const columns : {1, 7, 90, 3000}) {
    batch<double> b(5, columns), other(5, columns);
    auto const z = b.student.view(), t = b.teacher.view();
    double const expected = cross_entropy.with_grad(z, choices(b), other.gradient.view());
    EXPECT_NEAR(hard_distillation.with_grad(z, t, b.gradient.view(), {.teacher_weight = 1}), expected, 1e-13);
    for (index r = 0; r < 5; ++r) {
      for (index c = 0; c < columns; ++c) EXPECT_NEAR(b.gradient.at(r, c), other.gradient.at(r, c), 1e-15);
    }
    EXPECT_NEAR(hard_distillation(z, t), 0.5 * expected, 1e-13);
    EXPECT_NEAR(fuse(2.0 * hard_distillation.term(t))(z), expected, 1e-13);
    b.labels[1] = -100;  // a mask of rows still holds
    EXPECT_EQ(hard_distillation(z, t, {.rows = {.labels = b.labels}}).weight, 4.0);
  }
}

TEST(hard_distillation, takes_the_first_of_equal_classes) {
  for (index const columns : {4, 40, 2500}) {
    batch<float> b(1, columns);
    for (index c = 0; c < columns; ++c) b.teacher.set(0, c, c == columns / 2 || c == columns - 1 ? 9 : 0);
    hard_distillation.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
    EXPECT_LT(b.gradient.at(0, columns / 2), 0.0);
    EXPECT_GT(b.gradient.at(0, columns - 1), 0.0);
  }
}

TEST(hard_distillation, keeps_a_nan_of_the_teacher_in_its_row) {
  for (index const columns : {4, 40, 2500}) {
    for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      batch<float> b(20, columns);
      b.teacher.set(3, columns - 1, poison);
      std::vector<double> values(20);
      hard_distillation.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                                  {.rows = {.values = values}});
      for (index r = 0; r < 20; ++r) {
        EXPECT_EQ(std::isnan(values[static_cast<std::size_t>(r)]), r == 3);
        for (index c = 0; c < columns; ++c) EXPECT_EQ(std::isnan(b.gradient.at(r, c)), r == 3);
      }
    }
  }
}

TEST(hard_distillation, of_a_choice_the_student_cannot_make_is_infinite) {
  batch<double> b(1, 9);
  b.student.set(0, choices(b)[0], minus_infinity);
  b.labels[0] = (choices(b)[0] + 1) % 9;
  expect_reference<hard_distillation_case>(b, hard_distillation_case::settings()[0], {}, "masked choice");
  EXPECT_EQ(hard_distillation(b.student.view(), b.teacher.view(), b.labels),
            std::numeric_limits<double>::infinity());
  EXPECT_NEAR(hard_distillation(b.student.view(), b.teacher.view(), b.labels, {.teacher_weight = 0}),
              cross_entropy(b.student.view(), b.labels), 1e-14);
}

TEST(hard_distillation, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)hard_distillation(z, t, {.teacher_weight = -1}); }),
            "distil::hard_distillation: teacher_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)hard_distillation(z, t, b.labels, {.teacher_weight = 2}); }),
            "distil::hard_distillation: label_weight is -1; it must be finite and >= 0 (set it when "
            "teacher_weight is above 1)");
  EXPECT_NO_THROW((void)hard_distillation(z, t, {.teacher_weight = 2}));
  b.labels.pop_back();
  EXPECT_EQ(refusal_of([&] { (void)hard_distillation(z, t, b.labels); }),
            "distil::hard_distillation: labels is of size 2; it must be one per row, 3");
}

}  // namespace
}  // namespace distil::testing
