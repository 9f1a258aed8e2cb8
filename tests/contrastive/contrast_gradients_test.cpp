#include "distil/contrastive/contrast_gradients.hpp"

#include "../support/cases/contrast_gradients.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(contrast_gradients, pair_suite, in_float_and_double<contrast_gradients_case>);

TEST(contrast_gradients, gives_the_derivative_by_the_scale) {
  pair_batch<double> b({{6, 10, 1, 1}, {6, 10, 1, 1}});
  for (auto s : contrast_gradients_case::settings()) {
    double const expected = contrast_gradients_case::slope_by<contrast_gradients_case>(
        &contrast_gradients_options::student_scale, b.student.exact(), b.teacher.exact(), s);
    double slope = 42;
    s.options.scale_gradient = {&slope, 1};
    auto const found = contrast_gradients_case::value(serial, b, s);
    EXPECT_NEAR(slope, expected, 1e-6 * std::abs(expected)) << s.label;
    slope = 42;
    auto const again = contrast_gradients_case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_NEAR(slope, expected, 1e-6 * std::abs(expected)) << s.label;
    EXPECT_EQ(found.of_images, again.of_images);
    EXPECT_EQ(found.of_texts, again.of_texts);
  }
}

TEST(contrast_gradients, is_nothing_between_alike) {
  pair_batch<double> b({{6, 10, 1, 1}, {6, 10, 1, 1}});
  auto const images = contrast_gradients_case::images(b.student),
             texts = contrast_gradients_case::texts(b.student);
  EXPECT_EQ(contrast_gradients(images, texts, images, texts, {.student_scale = 20, .teacher_scale = 20}),
            0.0);
}

}  // namespace
}  // namespace distil::testing
