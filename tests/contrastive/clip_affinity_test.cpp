#include "distil/contrastive/clip_affinity.hpp"

#include "../support/cases/clip_affinity.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<clip_affinity_case> const suites("clip_affinity");

TEST(clip_affinity, gives_the_derivative_by_the_scale) {
  expect_slope_by<clip_affinity_case, double>(&clip_affinity_options::student_scale,
                                              &clip_affinity_options::scale_gradient,
                                              {{6, 10, 1, 1}, {6, 10, 1, 1}});
  expect_slope_by<clip_affinity_case, float>(&clip_affinity_options::student_scale,
                                             &clip_affinity_options::scale_gradient,
                                             {{6, 10, 1, 1}, {6, 10, 1, 1}});
}

TEST(clip_affinity, is_nothing_between_alike) {
  pair_batch<float> b({{6, 10, 1, 1}, {6, 10, 1, 1}});
  auto const images = clip_affinity_case::images(b.student), texts = clip_affinity_case::texts(b.student);
  clip_value const found =
      clip_affinity(images, texts, images, texts, {.student_scale = 20, .teacher_scale = 20});
  EXPECT_NEAR(found.value, 0.0, 1e-5);
  EXPECT_GE(found.of_images, 0.0);
  EXPECT_NEAR(found.value, (found.of_images + found.of_texts) / 2, 1e-12);
}

TEST(clip_affinity, takes_a_wider_teacher) {
  pair_batch<float> b({{6, 10, 1, 1}, {6, 16, 1, 1}});
  EXPECT_GT(clip_affinity(clip_affinity_case::images(b.student), clip_affinity_case::texts(b.student),
                          clip_affinity_case::images(b.teacher), clip_affinity_case::texts(b.teacher)),
            0.0);
}

TEST(clip_affinity, refuses) {
  pair_batch<float> b({{6, 10, 1, 1}, {6, 12, 1, 1}});
  auto const images = clip_affinity_case::images(b.student), texts = clip_affinity_case::texts(b.student);
  auto const others = clip_affinity_case::images(b.teacher);
  EXPECT_EQ(refusal_of([&] { (void)clip_affinity(images, texts, images, others); }),
            "distil::clip_affinity: teacher text is 6 x 6; it must be 6 rows of 5 features");
  EXPECT_EQ(refusal_of([&] { (void)clip_affinity(images, texts, images, texts, {.student_scale = -1}); }),
            "distil::clip_affinity: student_scale is -1; it must be within [1e-15, 1e15]");
  auto const to = clip_affinity_case::images(b.gradient);
  EXPECT_EQ(refusal_of([&] { clip_affinity.with_grad(images, texts, others, others, to, to); }),
            "distil::clip_affinity: gradient is one for images and texts; it must be one for each");
}

}  // namespace
}  // namespace distil::testing
