#include "distil/relation/locality_preserving.hpp"

#include "../support/cases/locality_preserving.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<locality_preserving_case> const suites("locality_preserving");

TEST(locality_preserving, reconstructs_what_the_teacher_reconstructs) {
  // Points on a line, which any affine map keeps on one: each lies between its two neighbours.
  pair_batch<double> b({{6, 3, 1, 1}, {6, 2, 1, 1}});
  b.teacher.fill([](index n, index c, index, index) { return c == 0 ? static_cast<double>(n) : 1.0; });
  b.student.fill([](index n, index c, index, index) { return static_cast<double>((c + 1) * n) + 5.0; });
  locality_preserving_options options = {
      .neighbours = 2, .weights = neighbour_weights::reconstruction, .regularization = 1e-12};
  EXPECT_NEAR(locality_preserving(b.student.matrix(), b.teacher.matrix(), options), 0.0, 1e-10);
  options.regularization = 1e3;  // the mean of both: right but for the ends
  EXPECT_NEAR(locality_preserving(b.student.matrix(), b.teacher.matrix(), options), 2 * 14 * 2.25 / 6, 0.01);
}

TEST(locality_preserving, takes_duplicates_as_nearest) {
  pair_batch<double> b({{3, 1, 1, 1}, {3, 2, 1, 1}});
  double const teacher[] = {1, 1, 9}, student[] = {0, 2, 5};
  b.teacher.fill([&](index n, index, index, index) { return teacher[n]; });
  b.student.fill([&](index n, index, index, index) { return student[n]; });
  double const value = locality_preserving(b.student.matrix(), b.teacher.matrix(),
                                           {.neighbours = 1, .bandwidth = 128.0 / std::log(2.0)});
  EXPECT_NEAR(value, (4.0 + 4.0 + 25.0 / 2) / 6,
              1e-14);  // of equals, the first is the neighbour of the third
}

TEST(locality_preserving, of_one_sample_is_nothing) {
  pair_batch<float> b({{1, 4, 1, 1}, {1, 2, 1, 1}});
  for (auto const& s : locality_preserving_case::settings()) {
    EXPECT_EQ(locality_preserving_case::with_grad(serial, b, b.gradient, s, false).value, 0.0);
    for (index c = 0; c < 4; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
  }
}

TEST(locality_preserving, refuses) {
  pair_batch<float> b({{3, 4, 1, 1}, {3, 2, 1, 1}});
  auto const with = [&](locality_preserving_options const& options) {
    return refusal_of([&] { (void)locality_preserving(b.student.matrix(), b.teacher.matrix(), options); });
  };
  EXPECT_EQ(with({.neighbours = 0}), "distil::locality_preserving: neighbours is 0; it must be >= 1");
  EXPECT_EQ(with({.bandwidth = -1}),
            "distil::locality_preserving: bandwidth is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.regularization = 0}),
            "distil::locality_preserving: regularization is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
