#include "distil/schedule/time.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>

#include "../support/refusal.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(run_progress, takes_any_number_and_stays_within_the_run) {
  static_assert(run_progress(0.25).value() == 0.25);
  static_assert(run_progress(0.25F).value() == 0.25);
  static_assert(run_progress(1).value() == 1);
  static_assert(run_progress(-0.5).value() == 0);
  static_assert(run_progress(7U).value() == 1);
  EXPECT_EQ(run_progress(infinity).value(), 1);
  EXPECT_EQ(run_progress(-infinity).value(), 0);
}

TEST(run_progress, refuses_nan) {
  EXPECT_EQ(refusal_of([] { run_progress{nan}; }),
            "distil::schedule: progress is nan; it must be a number, 0 at the start and 1 at the end");
}

TEST(run_step, takes_any_number_and_starts_at_zero) {
  static_assert(run_step(std::int64_t{12}).value() == 12);
  static_assert(run_step(std::size_t{12}).value() == 12);
  static_assert(run_step(1.5F).value() == 1.5);
  static_assert(run_step(-3).value() == 0);
  EXPECT_EQ(run_step(infinity).value(), infinity);
}

TEST(run_step, refuses_nan) {
  EXPECT_EQ(refusal_of([] { run_step{nan}; }),
            "distil::schedule: step is nan; it must be a number of steps, counted from 0");
}

TEST(snapped, brings_every_step_of_every_run_back_from_its_progress) {
  for (int total = 1; total <= 400; ++total) {
    for (int step = 0; step <= total; ++step) {
      double const progress = static_cast<double>(step) / total;
      ASSERT_EQ(detail::snapped(progress * total), step) << "of " << total;
    }
  }
}

TEST(snapped, leaves_what_lies_between_steps) {
  static_assert(detail::snapped(2.5) == 2.5);
  static_assert(detail::snapped(3 - 1e-12) == 3 - 1e-12);
  static_assert(detail::snapped(1e300) == 1e300);
  EXPECT_EQ(detail::snapped(infinity), infinity);
}

struct only_steps {
  double at(double step) const { return step; }
};

TEST(concepts, say_which_question_a_type_answers) {
  static_assert(shape<double (*)(double)> && !step_rule<double (*)(double)>);
  static_assert(shape<std::function<float(double)>>);
  static_assert(step_rule<only_steps> && !shape<only_steps> && !timed<only_steps>);
  static_assert(schedule_like<only_steps> && !schedule_like<double>);
}

}  // namespace
}  // namespace distil::schedule
