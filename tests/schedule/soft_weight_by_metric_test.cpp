#include "distil/schedule/soft_weight_by_metric.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../support/refusal.hpp"
#include "distil/schedule/arithmetic.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;

TEST(soft_weight_by_metric, gives_the_labels_more_where_the_student_is_too_close) {
  soft_weight_by_metric weight(0.5, {.close = 0.02, .step = 0.2});
  EXPECT_EQ(weight.observe(0.80, 0.90), 0.5);
  EXPECT_NEAR(weight.observe(0.885, 0.90), 0.3, 1e-15);
  EXPECT_NEAR(weight.observe(0.95, 0.90), 0.1, 1e-15);
  EXPECT_EQ(weight.observe(0.95, 0.90), 0.0);
}

TEST(soft_weight_by_metric, gives_the_teacher_more_where_the_distance_does_not_shrink) {
  soft_weight_by_metric weight(0.5, {.improvement = 0.01, .patience = 2, .step = 0.25});
  EXPECT_EQ(weight.observe(0.50, 0.90), 0.5);
  EXPECT_EQ(weight.observe(0.505, 0.90), 0.5);          // stalled once
  EXPECT_EQ(weight.observe(0.60, 0.90), 0.5);           // learns
  EXPECT_EQ(weight.observe(0.60, 0.90), 0.5);           // once
  EXPECT_EQ(weight.observe(std::nan(""), 0.90), 0.75);  // twice
  EXPECT_EQ(weight.observe(0.60, 0.90), 0.75);
  EXPECT_EQ(weight.observe(0.55, 0.90), 1.0);
}

TEST(soft_weight_by_metric, takes_metrics_that_are_minimised) {
  soft_weight_by_metric weight(0.5, {.goal = metric_goal::minimise, .close = 0.1, .step = 0.1});
  EXPECT_EQ(weight.observe(2.0, 1.0), 0.5);
  EXPECT_NEAR(weight.observe(1.05, 1.0), 0.4, 1e-15);
}

TEST(soft_weight_by_metric, is_a_schedule_whose_complement_is_the_hard_weight) {
  soft_weight_by_metric weight(0.5, {.step = 0.25});
  auto const hard = 1.0 - std::cref(weight);
  weight.observe(1, 1);
  EXPECT_EQ(hard(0.7), 0.75);
  EXPECT_EQ(weight(0.3), 0.25);
}

TEST(soft_weight_by_metric, continues_from_its_state) {
  soft_weight_by_metric weight(0.4, {.patience = 2}), resumed(0.4, {.patience = 2});
  EXPECT_EQ(metric_weight_state_from(to_text(weight.save())), weight.save());
  weight.observe(0.1, 0.9);
  weight.observe(0.1, 0.9);
  resumed.restore(metric_weight_state_from(to_text(weight.save())));
  EXPECT_EQ(resumed.observe(0.1, 0.9), weight.observe(0.1, 0.9));
  EXPECT_EQ(resumed.save(), weight.save());
}

TEST(soft_weight_by_metric, refuses) {
  std::string const where = "distil::schedule::soft_weight_by_metric";
  EXPECT_EQ(refusal_of([] { soft_weight_by_metric(1.5); }),
            where + ": start is 1.5; it must be within [minimum, maximum]");
  EXPECT_EQ(refusal_of([] { soft_weight_by_metric(0.5, {.patience = 0}); }),
            where + ": patience is 0; it must be at least 1 check");
  EXPECT_EQ(refusal_of([] { soft_weight_by_metric(0.5, {.maximum = 2}); }),
            where + ": maximum is 2; it must be at most 1");
  soft_weight_by_metric weight(0.5);
  EXPECT_EQ(refusal_of([&] { weight.restore({.weight = 0.5, .stalled = 3}); }),
            where + "::restore: stalled is 3; it must be within [0, patience)");
  EXPECT_NE(refusal_of([] { metric_weight_state_from("weight=1"); }), "");
}

}  // namespace
}  // namespace distil::schedule
