#include "distil/contrastive/contrast_gradients.hpp"

#include "../support/cases/contrast_gradients.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<contrast_gradients_case> const suites("contrast_gradients");

TEST(contrast_gradients, gives_the_derivative_by_the_scale) {
  expect_slope_by<contrast_gradients_case, double>(&contrast_gradients_options::student_scale,
                                                   &contrast_gradients_options::scale_gradient,
                                                   {{6, 10, 1, 1}, {6, 10, 1, 1}});
  expect_slope_by<contrast_gradients_case, float>(&contrast_gradients_options::student_scale,
                                                  &contrast_gradients_options::scale_gradient,
                                                  {{6, 10, 1, 1}, {6, 10, 1, 1}});
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
