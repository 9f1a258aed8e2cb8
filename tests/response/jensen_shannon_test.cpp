#include "distil/response/jensen_shannon.hpp"

#include "../support/cases/jensen_shannon.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<jensen_shannon_case> const suites("jensen_shannon");

TEST(jensen_shannon, obeys_the_laws) {
  expect_slope_of_temperature<jensen_shannon_case>();
  expect_teacher_temperature<jensen_shannon_case>(jensen_shannon);
  expect_accurate_near_zero<jensen_shannon_case>();
}

TEST(jensen_shannon, vanishes_towards_its_ends) {
  batch<float> b(4, 9);
  b.student.set(1, 3, minus_infinity), b.teacher.set(2, 3, minus_infinity);
  for (double const mix : {1e-12, 1 - 1e-12}) {
    EXPECT_NEAR(
        jensen_shannon.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.teacher_mix = mix}),
        0.0, 1e-9);
    for (index r = 0; r < 4; ++r) {
      for (index c = 0; c < 9; ++c) EXPECT_NEAR(b.gradient.at(r, c), 0.0, 1e-6);
    }
  }
}

TEST(jensen_shannon, is_at_most_log_two_and_reached_by_strangers) {
  batch<double> b(1, 4);
  for (index c = 0; c < 4; ++c) (c < 2 ? b.student : b.teacher).set(0, c, minus_infinity);
  EXPECT_NEAR(jensen_shannon.with_grad(b.student.view(), b.teacher.view(), b.gradient.view()), std::log(2.0),
              1e-15);
  for (index c = 0; c < 4; ++c) EXPECT_NEAR(b.gradient.at(0, c), 0.0, 1e-15);
}

TEST(jensen_shannon, fuses) {
  batch<float> b(5, 40);
  auto const z = b.student.view();
  auto const sum = fuse(0.5 * jensen_shannon.term(b.teacher.view(), {.teacher_mix = 0.2}),
                        2.0 * forward_kl.term(b.teacher.view()));
  double const expected =
      0.5 * jensen_shannon(z, b.teacher.view(), {.teacher_mix = 0.2}) + 2.0 * forward_kl(z, b.teacher.view());
  EXPECT_NEAR(sum.with_grad(z, b.gradient.view()), expected, 1e-5);
}

TEST(jensen_shannon, refuses_what_is_out_of_range) {
  for (auto const& [mix, text] : {std::pair{-0.5, "-0.5"}, {0.0, "0"}, {1.0, "1"}}) {
    EXPECT_EQ(refusal_of(jensen_shannon, {.teacher_mix = mix}),
              "distil::jensen_shannon: teacher_mix is " + std::string(text) +
                  "; it must be within (0, 1), the loss is 0 at the ends: for KL(teacher || student) use "
                  "forward_kl, for KL(student || teacher) reverse_kl");
  }
}

}  // namespace
}  // namespace distil::testing
