#include "distil/response/virtual_teacher.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/virtual_teacher.hpp"
#include "../support/refusal.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<virtual_teacher_case> const suites("virtual_teacher");

TEST(virtual_teacher, not_softened_has_the_gradient_of_smoothed_labels) {
  batch<double> b(6, 40), other(6, 40);
  virtual_teacher_options const options{
      .teacher_temperature = 1, .softening = virtual_softening::of_logits, .soft_weight = 1};
  virtual_teacher.with_grad(b.student.view(), b.labels, b.gradient.view(), options);
  cross_entropy.with_grad(b.student.view(), b.labels, other.gradient.view(),
                          {.label_smoothing = 0.01, .smoothing_over = smoothing::other_classes});
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 40; ++c) EXPECT_NEAR(b.gradient.at(r, c), other.gradient.at(r, c), 1e-15);
  }
}

TEST(virtual_teacher, is_zero_for_a_student_that_has_learnt_it) {
  batch<float> b(3, 10);
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 10; ++c) {
      b.student.set(r, c, c == b.labels[static_cast<std::size_t>(r)] ? (0.99 - 0.01 / 9) / 20 : 0.0);
    }
  }
  auto const found = virtual_teacher(b.student.view(), b.labels);
  EXPECT_GE(found.soft, 0.0);
  EXPECT_NEAR(found.soft, 0.0, 1e-6);
}

TEST(virtual_teacher, tells_its_parts_and_is_a_term) {
  batch<double> b(6, 40);
  b.labels[2] = -100;
  auto const z = b.student.view();
  auto const found = virtual_teacher(z, b.labels, {.soft_weight = 0.25});
  EXPECT_NEAR(found.hard, cross_entropy(z, b.labels), 1e-14);
  EXPECT_NEAR(found.value, 0.75 * found.hard + 0.25 * found.soft, 1e-14);
  EXPECT_EQ(found.soft.weight, 5.0);
  EXPECT_NEAR(fuse(virtual_teacher.term(b.labels))(z), found.soft, 1e-14);
}

TEST(virtual_teacher, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view();
  EXPECT_EQ(refusal_of([&] { (void)virtual_teacher(z, b.labels, {.label_probability = 1}); }),
            "distil::virtual_teacher: label_probability is 1; it must be within (0, 1)");
  EXPECT_EQ(refusal_of([&] { (void)virtual_teacher(z, b.labels, {.teacher_temperature = -1}); }),
            "distil::virtual_teacher: teacher_temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(
      refusal_of([&] { (void)virtual_teacher(z, b.labels, {.soft_weight = 1.5}); }),
      "distil::virtual_teacher: hard_weight is -0.5; it must be finite and >= 0 (set it when soft_weight "
      "is above 1)");
  EXPECT_EQ(refusal_of([&] { (void)virtual_teacher(z, b.labels, {.soft_weight = -1}); }),
            "distil::virtual_teacher: soft_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
