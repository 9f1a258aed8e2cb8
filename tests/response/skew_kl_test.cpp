#include "distil/response/skew_kl.hpp"

#include "../support/cases/skew_kl.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

row_suites<skew_kl_case> const suites("skew_kl");

TEST(skew_kl, obeys_the_laws) {
  expect_slope_of_temperature<skew_kl_case>();
  expect_teacher_temperature<skew_kl_case>(skew_kl);
  expect_accurate_near_zero<skew_kl_case>();
}

TEST(skew_kl, is_forward_kl_without_skew_and_next_to_nothing_with_nearly_all) {
  expect_same(calling(skew_kl, {.skew = 0}), calling(forward_kl), 1e-14);
  expect_same(calling(skew_kl, {.skew = 1e-12}), calling(forward_kl), 1e-8);
  expect_same(
      calling(skew_kl, {.skew = 1 - 1e-9}),
      [](auto&, auto gradient) {
        for (index r = 0; r < 6; ++r) {
          for (index c = 0; c < 90; ++c) gradient(r, c) = 0;
        }
        return 0.0;
      },
      1e-14);
}

TEST(skew_kl, refuses_what_is_out_of_range_and_to_be_nothing) {
  for (auto const& [skew, text] : {std::pair{1.01, "1.01"}, {1.0, "1"}}) {
    EXPECT_EQ(refusal_of(skew_kl, {.skew = skew}),
              "distil::skew_kl: skew is " + std::string(text) +
                  "; it must be within [0, 1), the loss is 0 at 1: for KL(teacher || student) use "
                  "forward_kl, for KL(student || teacher) reverse_kl");
  }
}

}  // namespace
}  // namespace distil::testing
