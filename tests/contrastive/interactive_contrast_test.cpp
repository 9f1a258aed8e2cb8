#include "distil/contrastive/interactive_contrast.hpp"

#include "../support/cases/interactive_contrast.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(interactive_contrast, pair_suite,
                               in_float_and_double<interactive_contrast_case>);

TEST(interactive_contrast, gives_the_derivative_by_the_scale) {
  pair_batch<double> b({{6, 10, 1, 1}, {6, 10, 1, 1}});
  for (auto s : interactive_contrast_case::settings()) {
    double const expected = interactive_contrast_case::slope_by<interactive_contrast_case>(
        &interactive_contrast_options::scale, b.student.exact(), b.teacher.exact(), s);
    double slope = 42;
    s.options.scale_gradient = {&slope, 1};
    auto const found = interactive_contrast_case::value(serial, b, s);
    EXPECT_NEAR(slope, expected, 1e-6 * std::abs(expected)) << s.label;
    slope = 42;
    auto const again = interactive_contrast_case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_NEAR(slope, expected, 1e-6 * std::abs(expected)) << s.label;
    EXPECT_EQ(found.of_images, again.of_images);
    EXPECT_EQ(found.of_texts, again.of_texts);
  }
}

TEST(interactive_contrast, wants_one_width) {
  pair_batch<float> b({{6, 10, 1, 1}, {6, 12, 1, 1}});
  EXPECT_EQ(refusal_of([&] {
              (void)interactive_contrast(
                  interactive_contrast_case::images(b.student), interactive_contrast_case::texts(b.student),
                  interactive_contrast_case::images(b.teacher), interactive_contrast_case::texts(b.teacher));
            }),
            "distil::interactive_contrast: teacher image is 6 x 6; it must be 6 rows of 5 features");
}

}  // namespace
}  // namespace distil::testing
