#include "distil/feature/pooled_outputs.hpp"

#include "../support/cases/pooled_outputs.hpp"
#include "../support/pair_suite.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

pair_suites<pooled_outputs_case> const suites("pooled_outputs");

TEST(pooled_outputs, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : pooled_outputs_case::settings()) {
    pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
    s.options.weights = weights;
    expect_pair<pooled_outputs_case>(b, s, "weighed");
    loss_value const before = pooled_outputs_case::value(serial, b, s);
    EXPECT_EQ(before.weight, 2.5);
    b.student.set(1, 0, 2, 2, std::nan(""));
    EXPECT_EQ(pooled_outputs_case::with_grad(serial, b, b.gradient, s, false).value, before.value);
    EXPECT_EQ(b.gradient.at(1, 0, 2, 2), 0.0);
  }
}

TEST(pooled_outputs, compares_what_pooling_makes_alike) {
  pair_batch<double> of_channels({{2, 3, 4, 5}, {2, 7, 4, 5}}), of_sizes({{2, 3, 4, 5}, {2, 3, 6, 2}});
  expect_pair<pooled_outputs_case>(
      of_channels, pooled_outputs_case::setting{"channels", {.over = pooled_over::channels}}, "channels");
  expect_pair<pooled_outputs_case>(
      of_sizes, pooled_outputs_case::setting{"positions", {.over = pooled_over::positions}}, "positions");
  EXPECT_EQ(
      refusal_of([&] { (void)pooled_outputs(of_channels.student.map(), of_channels.teacher.map()); }),
      "distil::pooled_outputs: teacher is 2 x 7 x 4 x 5; it must be 2 x 3 x 4 x 5 as the student in samples, "
      "channels, height, width");
  EXPECT_NE(refusal_of([&] {
              (void)pooled_outputs(of_sizes.student.map(), of_sizes.teacher.map(),
                                   {.over = pooled_over::channels});
            }),
            "");
}

/// Of one channel of 2 x 2, by hand: rows sum to 5 and 25, columns to 10 and 20.
TEST(pooled_outputs, is_what_a_small_map_says) {
  std::vector<double> const student{1, 2, 3, 4}, teacher{1, 1, 1, 1};
  double const length = std::sqrt(5.0 * 5 + 25 * 25 + 10 * 10 + 20 * 20), of_teacher = 2.0 * 2;
  double squares = 0;
  for (double const sum : {5.0, 25.0, 10.0, 20.0}) {
    squares += (sum / length - 2 / of_teacher) * (sum / length - 2 / of_teacher);
  }
  EXPECT_NEAR(double(pooled_outputs(feature_map(student, 1, 1, 2, 2), feature_map(teacher, 1, 1, 2, 2))),
              std::sqrt(squares), 1e-15);
}

TEST(pooled_outputs, lets_move_what_lies_within_a_side) {
  std::vector<double> const student{1, 2, 2, 1}, teacher{2, 1, 1, 2};
  EXPECT_EQ(double(pooled_outputs(feature_map(student, 1, 1, 2, 2), feature_map(teacher, 1, 1, 2, 2))), 0.0);
  EXPECT_GT(double(pooled_outputs(feature_map(student, 1, 1, 2, 2), feature_map(teacher, 1, 1, 2, 2),
                                  {.over = pooled_over::nothing})),
            0.0);
}

}  // namespace
}  // namespace distil::testing
