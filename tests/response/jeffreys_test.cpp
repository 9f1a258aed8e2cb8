#include "distil/response/jeffreys.hpp"

#include "../support/cases/jeffreys.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<jeffreys_case> const suites("jeffreys");

TEST(jeffreys, obeys_the_laws) {
  expect_slope_of_temperature<jeffreys_case>();
  expect_teacher_temperature<jeffreys_case>(jeffreys);
  expect_accurate_near_zero<jeffreys_case>();
}

TEST(jeffreys, is_a_kullback_leibler_divergence_at_each_end) {
  expect_same(calling(jeffreys, {.temperature = 2, .forward_weight = 1}),
              calling(forward_kl, {.temperature = 2}), 1e-14);
  expect_same(calling(jeffreys, {.temperature = 2, .forward_weight = 0}),
              calling(reverse_kl, {.temperature = 2}), 1e-14);
}

TEST(jeffreys, an_end_is_blind_to_masks_that_only_the_other_end_sees) {
  for (double const forward_weight : {0.0, 1.0}) {
    for (index const rows : {1, 20}) {
      batch<double> b(rows, 6, 2.0), same(rows, 6, 2.0);
      for (auto* const each : {&b, &same}) {
        auto& blind = forward_weight == 1.0 ? each->teacher : each->student;
        for (index r = 0; r < rows; ++r) blind.set(r, 2, minus_infinity);
      }
      std::vector<double> slope(1), expected(1);
      double const value = jeffreys.with_grad(
          b.student.view(), b.teacher.view(), b.gradient.view(),
          {.temperature = 2, .forward_weight = forward_weight, .temperature_gradient = slope});
      auto const of_end = [&](auto const& loss) {
        return loss
            .with_grad(same.student.view(), same.teacher.view(), same.gradient.view(),
                       {.temperature = 2, .temperature_gradient = expected})
            .value;
      };
      EXPECT_NEAR(value, forward_weight == 1.0 ? of_end(forward_kl) : of_end(reverse_kl), 1e-14);
      EXPECT_NEAR(slope[0], expected[0], 1e-13);
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < 6; ++c) {
          ASSERT_NEAR(b.gradient.at(r, c), same.gradient.at(r, c), 1e-15) << forward_weight << ", " << c;
        }
      }
    }
  }
}

TEST(jeffreys, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(jeffreys, {.forward_weight = 1.5}),
            "distil::jeffreys: forward_weight is 1.5; it must be within [0, 1]");
}

}  // namespace
}  // namespace distil::testing
