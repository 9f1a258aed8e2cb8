#include "distil/teachers/moving_average_teacher.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

TEST(moving_average_teacher, is_the_recursion) {
  moving_average_teacher average({.decay = 0.75});
  std::vector<double> teacher{1, 2};
  double expected = 1;
  for (double const student : {2.0, -1.0, 4.0}) {
    average.step();
    average.update(teacher, std::vector<double>{student, 2});
    expected = 0.75 * expected + 0.25 * student;
    EXPECT_NEAR(teacher[0], expected, 1e-15);
    EXPECT_EQ(teacher[1], 2.0);
  }
}

TEST(moving_average_teacher, debiased_is_the_weighted_mean_of_the_steps_so_far) {
  constexpr double decay = 0.9;
  moving_average_teacher average({.decay = decay, .start = average_start::debiased});
  std::vector<double> teacher{std::numeric_limits<double>::quiet_NaN()};
  std::vector<double> seen;
  for (int n = 1; n <= 20; ++n) {
    seen.push_back(std::sin(n));
    average.step();
    average.update(teacher, std::vector<double>{seen.back()});
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      double const weight = std::pow(decay, static_cast<double>(seen.size() - 1 - i));
      sum += weight * seen[i];
      weights += weight;
    }
    EXPECT_NEAR(teacher[0], sum / weights, 1e-14) << n;
  }
}

TEST(moving_average_teacher, warms_up) {
  moving_average_teacher average({.decay = 0.5, .start = average_start::warm_up});
  EXPECT_EQ(average.step(), 2.0 / 11);
  EXPECT_EQ(average.step(), 3.0 / 12);
  for (int n = 0; n < 20; ++n) average.step();
  EXPECT_EQ(average.decay(), 0.5);
}

TEST(moving_average_teacher, keeps_in_double_what_float_would_lose) {
  moving_average_teacher average({.decay = 0.999999});
  std::vector<float> in_float{1.0F};
  std::vector<double> in_double{1.0};
  std::vector<float> const student{1.01F};
  for (int n = 0; n < 100; ++n) {
    average.step();
    average.update(in_float, student);
    average.update(in_double, student);
  }
  EXPECT_EQ(in_float[0], 1.0F);
  EXPECT_NEAR(in_double[0], 1.01 - 0.01 * std::pow(0.999999, 100), 1e-9);
}

TEST(moving_average_teacher, copies_buffers_and_passes_nan) {
  moving_average_teacher average;
  std::vector<int> counters{1, 2};
  average.copy<int>(counters, std::vector<int>{3, 4});
  EXPECT_EQ(counters, (std::vector<int>{3, 4}));
  std::vector<float> teacher{1, 1};
  average.step();
  average.update(teacher, std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 1});
  EXPECT_TRUE(std::isnan(teacher[0]));
  EXPECT_EQ(teacher[1], 1.0F);
}

TEST(moving_average_teacher, continues_from_its_state) {
  moving_average_options const options{.decay = 0.9, .start = average_start::debiased};
  moving_average_teacher average(options), resumed(options);
  for (int n = 0; n < 7; ++n) average.step();
  resumed.restore(moving_average_state_from(to_text(average.save())));
  EXPECT_EQ(resumed.step(), average.step());
  EXPECT_EQ(resumed.save(), average.save());
}

TEST(moving_average_teacher, refuses) {
  EXPECT_EQ(refusal_of([] { moving_average_teacher({.decay = 1}); }),
            "distil::moving_average_teacher: decay is 1; it must be within [0, 1)");
  moving_average_teacher average;
  std::vector<float> teacher{7, 7};
  EXPECT_EQ(refusal_of([&] { average.update(teacher, std::vector<float>{1}); }),
            "distil::moving_average_teacher: teacher is of size 2; it must be of the student's size, 1");
  EXPECT_EQ(teacher[0], 7.0F);
  EXPECT_EQ(refusal_of([&] { average.restore({-1}); }),
            "distil::moving_average_teacher::restore: steps is -1; it must be >= 0");
  EXPECT_NE(refusal_of([] { moving_average_state_from("steps=1 more=2"); }), "");
}

}  // namespace
}  // namespace distil
