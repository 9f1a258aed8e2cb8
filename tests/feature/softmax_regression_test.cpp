#include "distil/feature/softmax_regression.hpp"

#include "../support/cases/softmax_regression.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<softmax_regression_case> const suites("softmax_regression");

TEST(softmax_regression, weighs_samples_and_names_its_parts) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  softmax_regression_case::setting s{"weighed", {.feature_weight = 0.25, .weights = weights}};
  pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 2, 2}});
  expect_pair<softmax_regression_case>(b, s, "weighed");
  auto const before = softmax_regression_case::value(serial, b, s);
  auto features = s, scores = s;
  features.options.score_weight = 0, scores.options.feature_weight = 0;
  EXPECT_EQ(softmax_regression_case::value(serial, b, features).value, before.features);
  EXPECT_EQ(softmax_regression_case::value(serial, b, scores).value, before.scores);
  auto half = s;
  half.options.weight = 0.5;
  auto const of_half = softmax_regression_case::value(serial, b, half);
  EXPECT_EQ(of_half.features, before.features / 2);
  EXPECT_EQ(of_half.scores, before.scores / 2);
  b.student.set(1, 0, 2, 2, std::nan(""));
  EXPECT_EQ(softmax_regression_case::with_grad(serial, b, b.gradient, s, false).value, before.value);
  EXPECT_EQ(b.gradient.at(1, 0, 2, 2), 0.0);
}

TEST(softmax_regression, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 2, 2}});
  auto const narrow = softmax_regression_case::classifier(4),
             fitting = softmax_regression_case::classifier(5);
  EXPECT_EQ(
      refusal_of([&] { (void)softmax_regression(b.student.map(), b.teacher.map(), narrow.view()); }),
      "distil::softmax_regression: classifier is 7 x 4; it must be classes x 5, the student's channels");
  EXPECT_EQ(refusal_of([&] {
              (void)softmax_regression(b.student.map(), b.teacher.map(), fitting.view(),
                                       {.score_weight = -1});
            }),
            "distil::softmax_regression: score_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
