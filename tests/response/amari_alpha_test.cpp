#include "distil/response/amari_alpha.hpp"

#include "../support/cases/amari_alpha.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<amari_alpha_case> const suites("amari_alpha");

TEST(amari_alpha, obeys_the_laws) {
  expect_slope_of_temperature<amari_alpha_case>();
  expect_teacher_temperature<amari_alpha_case>(amari_alpha);
  expect_accurate_near_zero<amari_alpha_case>();
}

TEST(amari_alpha, becomes_the_kullback_leibler_divergences_without_a_jump) {
  for (double const near : {0.0, 1e-15, -1e-15}) {
    expect_same(calling(amari_alpha, {.alpha = 1 + near}), calling(forward_kl), 1e-13);
    expect_same(calling(amari_alpha, {.alpha = near}), calling(reverse_kl), 1e-13);
  }
}

TEST(amari_alpha, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(amari_alpha, {.alpha = std::nan("")}),
            "distil::amari_alpha: alpha is nan; it must be finite");
}

}  // namespace
}  // namespace distil::testing
