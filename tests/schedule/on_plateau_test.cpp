#include "distil/schedule/on_plateau.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/timing.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> values_of(on_plateau schedule, std::vector<double> const& metrics) {
  std::vector<double> values;
  for (double const metric : metrics) values.push_back(schedule.observe(metric));
  return values;
}

using values = std::vector<double>;

TEST(on_plateau, keeps_its_value_while_the_metric_improves) {
  EXPECT_EQ(values_of(on_plateau(4, {.patience = 1}), {1.0, 0.9, 0.8, 0.7}), (values{4, 4, 4, 4}));
}

TEST(on_plateau, lowers_at_the_patienceth_stalled_check_in_a_row) {
  on_plateau const schedule(4, {.patience = 2});
  EXPECT_EQ(values_of(schedule, {1, 1, 1, 1, 1, 1}), (values{4, 4, 2, 2, 1, 1}));
  EXPECT_EQ(values_of(schedule, {1, 1, 0.9, 0.9, 0.9}), (values{4, 4, 4, 4, 2}));
}

TEST(on_plateau, raises_when_the_metric_is_worse_than_the_best_by_more_than_the_threshold) {
  on_plateau const schedule(4, {.patience = 3, .worsening = 0.25, .factor_when_worse = 1.5});
  EXPECT_EQ(values_of(schedule, {1, 1.25, 1.26}), (values{4, 4, 6}));
  // Still worse than the best at every check: raised at every one.
  EXPECT_EQ(values_of(schedule, {1, 2, 2}), (values{4, 6, 9}));
}

TEST(on_plateau, starts_counting_again_after_a_raise) {
  on_plateau const schedule(4, {.patience = 2, .worsening = 0.5});
  EXPECT_EQ(values_of(schedule, {1, 1, 2, 1, 1}), (values{4, 4, 8, 8, 4}));
}

TEST(on_plateau, needs_an_improvement_above_its_threshold) {
  on_plateau const schedule(4, {.patience = 2, .improvement = 0.5});
  EXPECT_EQ(values_of(schedule, {8, 5, 4}), (values{4, 4, 2}));  // never below half of 8
  EXPECT_EQ(values_of(schedule, {8, 5, 3.9, 3}), (values{4, 4, 4, 4}));
}

TEST(on_plateau, mirrors_when_it_maximises) {
  on_plateau_options options{.patience = 2, .worsening = 0.25};
  on_plateau const falling(4, options);
  options.goal = metric_goal::maximise;
  on_plateau const rising(4, options);
  std::vector<double> const metrics{-1, -1, -0.5, -2, -2, -3, -3, -3};
  std::vector<double> mirrored;
  for (double const metric : metrics) mirrored.push_back(-metric);
  EXPECT_EQ(values_of(rising, metrics), values_of(falling, mirrored));
  EXPECT_EQ(values_of(rising, {0.5, 0.6, 0.6, 0.6, 0.3}), (values{4, 4, 4, 2, 4}));
}

TEST(on_plateau, has_thresholds_that_work_for_negative_metrics) {
  // Minimising: -10 to -10.5 is 5 % better, to -8.9 is 11 % worse.
  on_plateau const schedule(4, {.patience = 2, .improvement = 0.04});
  EXPECT_EQ(values_of(schedule, {-10, -10.3, -10.5, -10.5, -9}), (values{4, 4, 4, 4, 8}));
}

TEST(on_plateau, sits_out_its_cooldown_but_follows_the_best) {
  on_plateau schedule(8, {.patience = 1, .cooldown = 2});
  EXPECT_EQ(schedule.observe(1), 8);
  EXPECT_EQ(schedule.observe(1), 4);
  EXPECT_EQ(schedule.observe(5), 4);    // would be a raise
  EXPECT_EQ(schedule.observe(0.5), 4);  // the best all the same
  EXPECT_EQ(schedule.save().best, 0.5);
  EXPECT_EQ(schedule.observe(0.51), 2);
}

TEST(on_plateau, stays_within_its_bounds) {
  on_plateau const schedule(3, {.patience = 1, .minimum = 1, .maximum = 5});
  EXPECT_EQ(values_of(schedule, {1, 1, 1, 1}), (values{3, 1.5, 1, 1}));
  EXPECT_EQ(values_of(schedule, {1, 9, 9}), (values{3, 5, 5}));
  on_plateau unbounded(1e308, {.factor_when_worse = 1e10});
  unbounded.observe(1);
  EXPECT_EQ(unbounded.observe(9), std::numeric_limits<double>::max());
}

TEST(on_plateau, takes_a_metric_that_is_not_finite_for_a_worse_one) {
  for (metric_goal const goal : {metric_goal::minimise, metric_goal::maximise}) {
    for (double const metric : {nan, infinity, -infinity}) {
      on_plateau schedule(2, {.goal = goal});
      EXPECT_EQ(schedule.observe(metric), 4);
      EXPECT_FALSE(schedule.save().best.has_value());
      EXPECT_EQ(schedule.observe(1), 4);
      EXPECT_EQ(schedule.observe(metric), 8);
      EXPECT_EQ(schedule.save().best, 1.0);
    }
  }
}

TEST(on_plateau, switches_a_direction_off_with_a_factor_of_one) {
  EXPECT_EQ(values_of(on_plateau(4, {.patience = 1, .factor_when_stalled = 1}), {1, 1, 9}),
            (values{4, 4, 8}));
  EXPECT_EQ(values_of(on_plateau(4, {.patience = 1, .factor_when_worse = 1}), {1, 9, 1}), (values{4, 4, 2}));
}

TEST(on_plateau, answers_both_questions_with_its_current_value) {
  on_plateau schedule(4, {.patience = 1});
  schedule.observe(1);
  schedule.observe(1);
  EXPECT_EQ(schedule(0), 2);
  EXPECT_EQ(schedule(1), 2);
  EXPECT_EQ(schedule.at(1000), 2);
}

TEST(on_plateau, is_followed_by_reference_and_frozen_by_copy) {
  on_plateau schedule(4, {.patience = 1});
  auto const following = 2 * std::cref(schedule) | over(10);
  auto const frozen = 2 * schedule | over(10);
  schedule.observe(1);
  schedule.observe(1);
  EXPECT_EQ(following.at(5), 4);
  EXPECT_EQ(frozen.at(5), 8);
}

TEST(on_plateau, continues_identically_from_a_saved_state) {
  on_plateau_options const options{.patience = 2, .factor_when_stalled = 0.7, .cooldown = 1, .minimum = 0.5};
  std::vector<double> const metrics{1,   0.9, 0.9, 0.95, 1.3, 0.9, nan, 0.8, 0.8,
                                    0.8, 0.8, 0.7, 2,    2,   2,   0.7, 0.7};
  for (std::size_t stop = 0; stop <= metrics.size(); ++stop) {
    on_plateau original(4, options);
    for (std::size_t i = 0; i < stop; ++i) original.observe(metrics[i]);
    on_plateau resumed(1, options);
    resumed.restore(plateau_state_from(to_text(original.save())));
    EXPECT_EQ(resumed.save(), original.save());
    for (std::size_t i = stop; i < metrics.size(); ++i) {
      EXPECT_EQ(resumed.observe(metrics[i]), original.observe(metrics[i])) << "stopped at " << stop;
    }
    EXPECT_EQ(resumed.save(), original.save());
  }
}

TEST(on_plateau, refuses_a_state_it_cannot_have_had_and_keeps_its_own) {
  on_plateau schedule(4, {.patience = 3, .cooldown = 2, .minimum = 1, .maximum = 5});
  plateau_state const own = schedule.save();
  auto const refusal = [&](plateau_state const& state) {
    return refusal_of([&] { schedule.restore(state); });
  };
  EXPECT_EQ(refusal({.value = 6}),
            "distil::schedule::on_plateau::restore: value is 6; it must be within [minimum, maximum]");
  EXPECT_EQ(refusal({.value = 4, .best = nan}),
            "distil::schedule::on_plateau::restore: best is nan; it must be a finite number");
  EXPECT_EQ(refusal({.value = 4, .stalled = 3}),
            "distil::schedule::on_plateau::restore: stalled is 3; it must be within [0, patience)");
  EXPECT_EQ(refusal({.value = 4, .cooldown_left = 3}),
            "distil::schedule::on_plateau::restore: cooldown_left is 3; it must be within [0, cooldown]");
  EXPECT_EQ(schedule.save(), own);
}

TEST(on_plateau, refuses_options_out_of_range) {
  auto const refusal = [](on_plateau_options const& options) {
    return refusal_of([&] { on_plateau(2, options); });
  };
  std::string const where = "distil::schedule::on_plateau: ";
  EXPECT_EQ(refusal({.patience = 0}), where + "patience is 0; it must be at least 1 check");
  EXPECT_EQ(refusal({.improvement = -1}),
            where + "improvement is -1; it must be a share of |best|, 0 or above");
  EXPECT_EQ(refusal({.factor_when_stalled = 0}),
            where + "factor_when_stalled is 0; it must be within (0, 1]");
  EXPECT_EQ(refusal({.factor_when_stalled = 1.5}),
            where + "factor_when_stalled is 1.5; it must be within (0, 1]");
  EXPECT_EQ(refusal({.worsening = nan}),
            where + "worsening is nan; it must be a share of |best|, 0 or above");
  EXPECT_EQ(refusal({.factor_when_worse = 0.5}),
            where + "factor_when_worse is 0.5; it must be a finite number, at least 1");
  EXPECT_EQ(refusal({.cooldown = -1}), where + "cooldown is -1; it must be 0 or more checks");
  EXPECT_EQ(refusal({.minimum = nan}), where + "minimum is nan; it must be a finite number");
  EXPECT_EQ(refusal({.maximum = infinity}), where + "maximum is inf; it must be a finite number");
  EXPECT_EQ(refusal({.minimum = 2, .maximum = 1}), where + "minimum is 2; it must be within [0, maximum]");
  EXPECT_EQ(refusal({.minimum = 3}), where + "start is 2; it must be within [minimum, maximum]");
  EXPECT_EQ(refusal_of([] { on_plateau{nan}; }),
            where + "start is nan; it must be within [minimum, maximum]");
}

}  // namespace
}  // namespace distil::schedule
