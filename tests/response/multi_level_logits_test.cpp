#include "distil/response/multi_level_logits.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/multi_level_logits.hpp"
#include "../support/refusal.hpp"
#include "distil/response/batch_correlation.hpp"
#include "distil/response/class_correlation.hpp"

namespace distil::testing {
namespace {

batch_suites<multi_level_logits_case> const suites("multi_level_logits");

TEST(multi_level_logits, is_the_sum_of_its_levels) {
  batch<double> b(9, 6);
  auto const z = b.student.view(), t = b.teacher.view();
  auto const found = multi_level_logits(z, t, {.sample_weight = 2, .class_weight = 3, .batch_weight = 0.5});
  double samples = 0, classes = 0, pairs = 0;
  for (double const temperature : {2.0, 3.0, 4.0, 5.0, 6.0}) {
    samples += forward_kl(z, t, {.temperature = temperature});
    classes += class_correlation(z, t, {.temperature = temperature});
    pairs += batch_correlation(z, t, {.temperature = temperature});
  }
  EXPECT_NEAR(found.of_samples, samples, 1e-13);
  EXPECT_NEAR(found.of_classes, classes, 1e-13);
  EXPECT_NEAR(found.of_batch, pairs, 1e-13);
  EXPECT_NEAR(found.value, 2 * samples + 3 * classes + 0.5 * pairs, 1e-12);
}

TEST(multi_level_logits, refuses_before_anything_is_written) {
  batch<float> b(3, 4);
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 4; ++c) b.gradient.set(r, c, 42.0);
  }
  auto const z = b.student.view(), t = b.teacher.view(), g = b.gradient.view();
  std::string const name = "distil::multi_level_logits: ";
  std::vector<double> const late = {2, 3, -1}, none = {}, two = {1, 2};
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.temperatures = late}); }),
            name + "temperatures is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.temperatures = none}); }),
            name + "temperatures is empty; it must be at least one");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.sample_weight = -1}); }),
            name + "sample_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.class_weight = -1}); }),
            name + "class_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.batch_weight = -1}); }),
            name + "batch_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, matrix_view<float>(g.data, 3, 3)); }),
            name + "gradient is 3 x 3; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, matrix_view<float>(t.data, 3, 3), g); }),
            name + "teacher is 3 x 3; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, t); }),
            name + "gradient is overlapping the teacher; it must be apart from the teacher");
  EXPECT_EQ(refusal_of([&] { multi_level_logits.with_grad(z, t, g, {.rows = {.weights = two}}); }),
            name + "rows.weights is of size 2; it must be one per row, 3");
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 4; ++c) EXPECT_EQ(b.gradient.at(r, c), 42.0);
  }
}

}  // namespace
}  // namespace distil::testing
