#include "distil/diagnostics/agreement.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
constexpr float masked = -std::numeric_limits<float>::infinity();

TEST(agreement, counts_what_both_say) {
  //                              the same        another         ties: the first  teacher masks 2
  std::vector<float> const student{3, 1, 0, 2, /**/ 0, 4, 1, 2, /**/ 1, 1, 0, 0, /**/ 0, 1, 5, 2};
  std::vector<float> const teacher{5, 4, 1, 0, /**/ 9, 1, 2, 3, /**/ 2, 2, 2, 0, /**/ 1, 2, masked, 3};
  agreement const found =
      agreement_of(matrix_view(student, 4, 4), matrix_view(teacher, 4, 4), {0, 1, 1, 3}, {.top = 2});
  EXPECT_EQ(found.rows, 4.0);
  EXPECT_EQ(found.same_choice, 0.5);
  // {0, 1} and {0, 3}; {0, 3} and {1, 3}; {0, 1} and {0, 1}; {3, 1} and {2, 3}.
  EXPECT_EQ(found.top_overlap, (0.5 + 0.5 + 1 + 0.5) / 4);
  EXPECT_EQ(found.student_right, 0.5);  // rows 0 and 1
  EXPECT_EQ(found.teacher_right, 0.5);  // rows 0 and 3
  EXPECT_EQ(found.both_right, 0.25);
  EXPECT_EQ(found.student_follows_error, 0.5);  // of rows 1 and 2, row 2
  EXPECT_EQ(found.rank_of_label, (1.0 + 1 + 2 + 2) / 4);
}

TEST(agreement, measures_how_far_probabilities_are_apart) {
  std::vector<double> const student{std::log(0.5), std::log(0.3), std::log(0.2)},
      teacher{std::log(0.7), std::log(0.2), std::log(0.1)};
  agreement const found = agreement_of(matrix_view(student, 1, 3), matrix_view(teacher, 1, 3));
  EXPECT_NEAR(found.mass_overlap, 0.5 + 0.2 + 0.1, 1e-15);
  EXPECT_NEAR(found.forward_kl,
              0.7 * std::log(0.7 / 0.5) + 0.2 * std::log(0.2 / 0.3) + 0.1 * std::log(0.1 / 0.2), 1e-15);
  EXPECT_EQ(found.student_right, 0.0);
  EXPECT_EQ(found.rank_of_label, 0.0);
  agreement const same =
      agreement_of(matrix_view(student, 1, 3), matrix_view(student, 1, 3), {}, {.temperature = 4});
  EXPECT_NEAR(same.mass_overlap, 1.0, 1e-15);
  EXPECT_EQ(same.forward_kl, 0.0);
}

TEST(agreement, leaves_out_rows_that_say_nothing) {
  std::vector<float> const student{1, 2, /**/ std::nanf(""), 2, /**/ masked, masked, /**/ 1, 2},
      teacher{1, 2, /**/ 1, 2, /**/ 1, 2, /**/ 2, 1};
  EXPECT_EQ(agreement_of(matrix_view(student, 4, 2), matrix_view(teacher, 4, 2)).rows, 2.0);
  agreement const found = agreement_of(matrix_view(student, 4, 2), matrix_view(teacher, 4, 2), {1, 0, 0, -1},
                                       {.ignore_label = -1});
  EXPECT_EQ(found.rows, 1.0);
  EXPECT_EQ(found.same_choice, 1.0);
  EXPECT_EQ(agreement_of(matrix_view(student, 0, 2), matrix_view(teacher, 0, 2)).rows, 0.0);
  std::vector<float> const narrow{1, masked};
  EXPECT_EQ(agreement_of(matrix_view(narrow, 1, 2), matrix_view(teacher, 1, 2)).forward_kl,
            std::numeric_limits<double>::infinity());
}

TEST(agreement, refuses) {
  std::vector<float> const logits{1, 2, 3, 4};
  EXPECT_EQ(refusal_of([&] { (void)agreement_of(matrix_view(logits, 2, 2), matrix_view(logits, 1, 4)); }),
            "distil::agreement_of: teacher is 1 x 4; it must be 2 x 2, the shape of the student");
  EXPECT_EQ(refusal_of([&] {
              (void)agreement_of(matrix_view(logits, 2, 2), matrix_view(logits, 2, 2), {0, 2});
            }),
            "distil::agreement_of: label is 2 in row 1; it must be within [0, 2) or the ignored label -100");
  EXPECT_EQ(refusal_of([&] {
              (void)agreement_of(matrix_view(logits, 2, 2), matrix_view(logits, 2, 2), {}, {.top = 0});
            }),
            "distil::agreement_of: top is 0; it must be at least 1");
}

}  // namespace
}  // namespace distil
