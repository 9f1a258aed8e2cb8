#include "distil/relation/maximum_mean_discrepancy.hpp"

#include "../support/cases/maximum_mean_discrepancy.hpp"
#include "../support/pair_suite.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

pair_suites<maximum_mean_discrepancy_case> const suites("maximum_mean_discrepancy");

TEST(maximum_mean_discrepancy, takes_the_mean_distance_for_its_bandwidth) {
  pair_batch<double> b({{5, 3, 1, 1}, {4, 3, 1, 1}});
  exact_map const x = b.student.exact(), y = b.teacher.exact();
  using of_case = maximum_mean_discrepancy_case;
  long double sum = 0;
  for (index i = 0; i < 9; ++i) {
    for (index j = 0; j < 9; ++j) {
      sum += of_case::squared(i < 5 ? x : y, i < 5 ? i : i - 5, j < 5 ? x : y, j < 5 ? j : j - 5);
    }
  }
  auto const mean = static_cast<double>(sum / 72);
  double const value =
      maximum_mean_discrepancy.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix());
  EXPECT_NEAR(value, static_cast<double>(of_case::of(x, y, {"", {.bandwidth = mean}})), 1e-14);
  pair_batch<double> same({{5, 3, 1, 1}, {4, 3, 1, 1}});  // the bandwidth is a constant
  maximum_mean_discrepancy.with_grad(b.student.matrix(), b.teacher.matrix(), same.gradient.matrix(),
                                     {.bandwidth = mean});
  for (index i = 0; i < 5; ++i) EXPECT_NEAR(b.gradient.at(i, 2), same.gradient.at(i, 2), 1e-14);
}

TEST(maximum_mean_discrepancy, is_nothing_between_the_same_samples_and_more_the_farther_they_are) {
  pair_batch<double> b({{6, 3, 1, 1}, {6, 3, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return b.student.at(5 - n, c); });
  EXPECT_NEAR(double(maximum_mean_discrepancy(b.student.matrix(), b.teacher.matrix())), 0.0, 1e-14);
  double before = 0;
  for (double const moved : {0.5, 1.0, 4.0}) {
    b.teacher.fill([&](index n, index c, index, index) { return b.student.at(n, c) + moved; });
    double const value = maximum_mean_discrepancy(b.student.matrix(), b.teacher.matrix(), {.bandwidth = 3.0});
    EXPECT_GT(value, before);
    before = value;
  }
}

TEST(maximum_mean_discrepancy, samples_at_one_place_have_no_slope) {
  pair_batch<float> b({{3, 2, 1, 1}, {2, 2, 1, 1}});
  b.student.fill(0.25);
  b.teacher.fill(0.25);
  EXPECT_NEAR(
      double(maximum_mean_discrepancy.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix())),
      0.0, 1e-14);
  EXPECT_EQ(b.gradient.at(2, 1), 0.0);
}

TEST(maximum_mean_discrepancy, refuses) {
  pair_batch<float> b({{3, 2, 1, 1}, {2, 4, 1, 1}}), fits({{3, 2, 1, 1}, {2, 2, 1, 1}});
  std::string const where = "distil::maximum_mean_discrepancy: ";
  EXPECT_EQ(refusal_of([&] { (void)maximum_mean_discrepancy(b.student.matrix(), b.teacher.matrix()); }),
            where + "teacher is 4 features; it must be of 2 features, as the student's");
  auto const with = [&](maximum_mean_discrepancy_options const& options) {
    return refusal_of(
        [&] { (void)maximum_mean_discrepancy(fits.student.matrix(), fits.teacher.matrix(), options); });
  };
  EXPECT_EQ(with({.bandwidth = 0.0}), where + "bandwidth is 0; it must be finite and > 0");
  EXPECT_EQ(with({.kernels = 0}), where + "kernels is 0; it must be within [1, 32]");
  EXPECT_EQ(with({.ratio = 1.0}), where + "ratio is 1; it must be finite and > 1");
}

}  // namespace
}  // namespace distil::testing
