#include "distil/contrastive/interactive_contrast.hpp"

#include "../support/cases/interactive_contrast.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<interactive_contrast_case> const suites("interactive_contrast");

TEST(interactive_contrast, gives_the_derivative_by_the_scale) {
  expect_slope_by<interactive_contrast_case, double>(&interactive_contrast_options::scale,
                                                     &interactive_contrast_options::scale_gradient,
                                                     {{6, 10, 1, 1}, {6, 10, 1, 1}});
  expect_slope_by<interactive_contrast_case, float>(&interactive_contrast_options::scale,
                                                    &interactive_contrast_options::scale_gradient,
                                                    {{6, 10, 1, 1}, {6, 10, 1, 1}});
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
