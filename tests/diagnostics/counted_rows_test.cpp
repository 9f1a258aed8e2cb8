#include "distil/diagnostics/counted_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil {
namespace {

using testing::refusal_of;
constexpr float masked = -std::numeric_limits<float>::infinity();

TEST(counted_rows, names_why_a_row_does_not_count) {
  std::vector<float> const student{
      1, 2, /**/ 1, 2, /**/ 1, 2, /**/ masked, masked, /**/ 1, 2, /**/ std::nanf(""), 1, /**/ masked, 1},
      teacher{1, 2, /**/ 1, 2, /**/ 1, 2, /**/ 1, 2, /**/ masked, masked, /**/ 1, 2, /**/ 0, 0};
  std::vector<double> const weights{1, 1, 0, 1, 1, 1, 1};
  counted_rows const found = counted_rows_of(matrix_view(student, 7, 2), matrix_view(teacher, 7, 2),
                                             {.weights = weights}, {0, -100, 1, 1, 1, 1, 1});
  EXPECT_EQ(found.rows, 7);
  EXPECT_EQ(found.ignored, 1);
  EXPECT_EQ(found.weightless, 1);
  EXPECT_EQ(found.fully_masked, 2);
  EXPECT_EQ(found.invalid, 1);
  EXPECT_EQ(found.counted, 2);
  EXPECT_EQ(found.masked_classes, 3.0 / 14);
  EXPECT_EQ(found.masked_classes_of_teacher, 2.0 / 14);
  EXPECT_EQ(found.mass_beyond_student, 0.25);
}

/// What is counted is the weight of the loss, but for rows that make it NaN.
TEST(counted_rows, is_what_a_loss_divides_by) {
  std::vector<float> const student{1, 2, /**/ masked, masked, /**/ 0, 1}, teacher{1, 2, /**/ 1, 2, /**/ 3, 2};
  row_options const options{.ignore_label = -1};
  EXPECT_EQ(static_cast<double>(
                counted_rows_of(matrix_view(student, 3, 2), matrix_view(teacher, 3, 2), options).counted),
            forward_kl(matrix_view(student, 3, 2), matrix_view(teacher, 3, 2), {.rows = options}).weight);
  EXPECT_EQ(counted_rows_of(matrix_view(student, 3, 2)).counted, 2);
  EXPECT_EQ(counted_rows_of(matrix_view(student, 0, 2)).masked_classes, 0.0);
}

TEST(counted_rows, refuses) {
  std::vector<float> const logits{1, 2};
  EXPECT_EQ(refusal_of([&] { (void)counted_rows_of(matrix_view(logits, 1, 2), matrix_view(logits, 2, 1)); }),
            "distil::counted_rows_of: teacher is 2 x 1; it must be 1 x 2, the shape of the student");
}

}  // namespace
}  // namespace distil
