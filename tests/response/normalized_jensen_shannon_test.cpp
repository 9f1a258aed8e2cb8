#include "distil/response/normalized_jensen_shannon.hpp"

#include "../support/cases/normalized_jensen_shannon.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<normalized_jensen_shannon_case> const suites("normalized_jensen_shannon");

TEST(normalized_jensen_shannon, obeys_the_laws) {
  expect_slope_of_temperature<normalized_jensen_shannon_case>();
  expect_teacher_temperature<normalized_jensen_shannon_case>(normalized_jensen_shannon);
  expect_accurate_near_zero<normalized_jensen_shannon_case>();
}

TEST(normalized_jensen_shannon,
     is_jensen_shannon_over_its_scale_and_becomes_the_kullback_leibler_divergences) {
  expect_same(
      calling(normalized_jensen_shannon, {.teacher_mix = 0.5}),
      [](auto& b, auto gradient) {
        double const value = jensen_shannon.with_grad(b.student.view(), b.teacher.view(), gradient);
        for (index r = 0; r < b.rows; ++r) {
          for (index c = 0; c < b.columns; ++c) gradient(r, c) *= 4;
        }
        return 4 * value;
      },
      1e-14);
  for (double const mix : {0.0, 1e-40, 1e-20}) {
    expect_same(calling(normalized_jensen_shannon, {.teacher_mix = mix}), calling(forward_kl), 1e-14);
  }
  expect_same(calling(normalized_jensen_shannon, {.teacher_mix = 1}), calling(reverse_kl), 1e-14);
  expect_same(calling(normalized_jensen_shannon, {.teacher_mix = 1 - 0x1p-50}), calling(reverse_kl), 1e-12);
}

TEST(normalized_jensen_shannon, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(normalized_jensen_shannon, {.teacher_mix = 2}),
            "distil::normalized_jensen_shannon: teacher_mix is 2; it must be within [0, 1]");
}

}  // namespace
}  // namespace distil::testing
