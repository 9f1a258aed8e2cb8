#include "distil/response/prediction_correlation.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/prediction_correlation.hpp"
#include "../support/refusal.hpp"
#include "../support/temperature_slopes.hpp"

namespace distil::testing {
namespace {

batch_suites<prediction_correlation_case> const suites("prediction_correlation");

TEST(prediction_correlation, is_its_two_terms) {
  batch<double> b(12, 9);
  auto const value =
      prediction_correlation(b.student.view(), b.teacher.view(),
                             {.temperature = 3, .inter_class_weight = 2, .intra_class_weight = 0.5});
  EXPECT_NEAR(value.value, 9 * (2 * value.of_rows + 0.5 * value.of_columns), 1e-13);
  EXPECT_NEAR(value.of_rows,
              prediction_correlation(
                  b.student.view(), b.teacher.view(),
                  {.temperature = 3, .scale_by_temperature_squared = false, .intra_class_weight = 0}),
              1e-15);
}

TEST(prediction_correlation, does_not_care_for_scale_and_shift_of_probabilities) {
  // A teacher whose probabilities are 0.2 / C + 0.8 q correlates fully.
  batch<double> b(6, 5);
  softmax(b.student.view(), b.teacher.view());
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 5; ++c) b.teacher.set(r, c, 0.04 + 0.8 * b.teacher.at(r, c));
  }
  double const value =
      prediction_correlation.with_grad(b.student.view(), probabilities(b.teacher.view()), b.gradient.view());
  EXPECT_NEAR(value, 0.0, 1e-28);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 5; ++c) EXPECT_NEAR(b.gradient.at(r, c), 0.0, 1e-14);
  }
}

TEST(prediction_correlation, keeps_small_differences) {
  // |a' - b'|^2 / 2 has them where 1 - rho would have rounding alone.
  batch<float> b(8, 10);
  batch<double> exact(8, 10);
  for (index r = 0; r < 8; ++r) {
    for (index c = 0; c < 10; ++c) {
      b.teacher.set(r, c, b.student.at(r, c) + (c == r ? 1e-3 : 0.0));
      exact.student.set(r, c, b.student.at(r, c)), exact.teacher.set(r, c, b.teacher.at(r, c));
    }
  }
  double const expected = prediction_correlation(exact.student.view(), exact.teacher.view());
  EXPECT_LT(expected, 1e-6);
  EXPECT_NEAR(prediction_correlation(b.student.view(), b.teacher.view()), expected, 1e-3 * expected);
}

TEST(prediction_correlation, has_no_slope_where_a_vector_is_constant) {
  batch<float> b(1, 6);  // every column of one row
  auto const one = prediction_correlation.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                                    {.inter_class_weight = 0});
  EXPECT_EQ(one.value, 1.0);
  for (index c = 0; c < 6; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);

  batch<float> equal(4, 6);  // a row of equal logits, and rows that are all alike
  for (index c = 0; c < 6; ++c) equal.student.set(2, c, 0.7);
  auto const rows = prediction_correlation.with_grad(equal.student.view(), equal.teacher.view(),
                                                     equal.gradient.view(), {.intra_class_weight = 0});
  EXPECT_TRUE(std::isfinite(rows.value));
  for (index c = 0; c < 6; ++c) EXPECT_EQ(equal.gradient.at(2, c), 0.0);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 6; ++c) equal.student.set(r, c, static_cast<double>(c));
  }
  auto const alike = prediction_correlation.with_grad(equal.student.view(), equal.teacher.view(),
                                                      equal.gradient.view(), {.inter_class_weight = 0});
  EXPECT_EQ(alike.of_columns, 1.0);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 6; ++c) EXPECT_EQ(equal.gradient.at(r, c), 0.0);
  }
}

TEST(prediction_correlation, correlates_classes_of_tiny_probability) {
  // Squares of these would underflow in float.
  batch<float> b(16, 3);
  for (index r = 0; r < 16; ++r) b.student.set(r, 0, 50.0), b.teacher.set(r, 0, 50.0);
  for (index r = 0; r < 16; ++r) b.teacher.set(r, 1, b.student.at(r, 1));
  auto const value = prediction_correlation(b.student.view(), b.teacher.view(), {.inter_class_weight = 0});
  EXPECT_LT(value.of_columns, 0.999);  // column 1 agrees
  EXPECT_GT(value.of_columns, 0.1);
}

TEST(prediction_correlation, refuses) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  std::string const name = "distil::prediction_correlation: ";
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, matrix_view<float>(t.data, 3, 3)); }),
            name + "teacher is 3 x 3; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, t, {.temperature = -1}); }),
            name + "temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, t, {.inter_class_weight = -1}); }),
            name + "inter_class_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, t, {.intra_class_weight = std::nan("")}); }),
            name + "intra_class_weight is nan; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, t, {.norm_floor = -1e-8}); }),
            name + "norm_floor is -1e-08; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { prediction_correlation.with_grad(z, t, t); }),
            name + "gradient is overlapping the teacher; it must be apart from the teacher");
  std::vector<double> const two = {1, 2};
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(z, t, {.rows = {.weights = two}}); }),
            name + "rows.weights is of size 2; it must be one per row, 3");
}

TEST(prediction_correlation, has_one_derivative_by_the_temperature) {
  batch<float> b(3, 4);
  std::vector<double> slopes(3);
  EXPECT_EQ(refusal_of([&] {
              (void)prediction_correlation(b.student.view(), b.teacher.view(),
                                           {.temperature_gradient = slopes});
            }),
            "distil::prediction_correlation: temperature_gradient is of size 3; it must be of size 1");
}

TEST(prediction_correlation, differentiates_by_the_temperature) {
  expect_slope_of_batch<prediction_correlation_case, distil::prediction_correlation, double>();
  expect_slope_of_batch<prediction_correlation_case, distil::prediction_correlation, float>();
}

}  // namespace
}  // namespace distil::testing
