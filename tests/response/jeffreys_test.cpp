#include "distil/response/jeffreys.hpp"

#include "../support/cases/jeffreys.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(jeffreys, response_suite, in_float_and_double<jeffreys_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(jeffreys, behaviour_suite, in_float_and_double<jeffreys_case>);

TEST(jeffreys, obeys_the_laws) {
  expect_slope_of_temperature<jeffreys_case>();
  expect_accurate_near_zero<jeffreys_case>();
}

TEST(jeffreys, is_a_kullback_leibler_divergence_at_each_end) {
  expect_same(calling(jeffreys, {.forward_weight = 1, .temperature = 2}),
              calling(forward_kl, {.temperature = 2}), 1e-14);
  expect_same(calling(jeffreys, {.forward_weight = 0, .temperature = 2}),
              calling(reverse_kl, {.temperature = 2}), 1e-14);
}

TEST(jeffreys, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(jeffreys, {.forward_weight = 1.5}),
            "distil::jeffreys: forward_weight is 1.5; it must be within [0, 1]");
}

}  // namespace
}  // namespace distil::testing
