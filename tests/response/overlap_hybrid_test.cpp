#include "distil/response/overlap_hybrid.hpp"

#include "../support/cases/overlap_hybrid.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/total_variation.hpp"

namespace distil::testing {
namespace {

row_suites<overlap_hybrid_case> const suites("overlap_hybrid");

TEST(overlap_hybrid, obeys_the_laws) {
  expect_slope_of_temperature<overlap_hybrid_case>();
  expect_teacher_temperature<overlap_hybrid_case>(overlap_hybrid);
  expect_accurate_near_zero<overlap_hybrid_case>(4e-6);
}

TEST(overlap_hybrid, is_forward_kl_without_decay_and_total_variation_with_all) {
  expect_same(calling(overlap_hybrid, {.overlap_decay = 0}), calling(forward_kl), 1e-14);
  expect_same(calling(overlap_hybrid, {.overlap_decay = 1e6}), calling(total_variation), 1e-14);
}

TEST(overlap_hybrid, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(overlap_hybrid, {.overlap_decay = -3}),
            "distil::overlap_hybrid: overlap_decay is -3; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
