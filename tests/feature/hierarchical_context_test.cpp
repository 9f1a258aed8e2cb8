#include "distil/feature/hierarchical_context.hpp"

#include "../support/cases/hierarchical_context.hpp"
#include "../support/pair_suite.hpp"
#include "distil/feature/adaptive_pool.hpp"

namespace distil::testing {
namespace {

pair_suites<hierarchical_context_case> const suites("hierarchical_context");

TEST(hierarchical_context, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  hierarchical_context_case::setting s;
  s.options.weights = weights;
  pair_batch<double> b({{3, 2, 5, 3}, {3, 2, 5, 3}});
  expect_pair<hierarchical_context_case>(b, s, "weighed");
  double const before = hierarchical_context_case::value(serial, b, s);
  b.student.set(1, 0, 0, 1, std::nan(""));
  EXPECT_EQ(hierarchical_context_case::with_grad(serial, b, b.gradient, s, false), before);
  EXPECT_EQ(b.gradient.at(1, 0, 0, 1), 0.0);
}

TEST(hierarchical_context, takes_the_published_weights) {
  pair_batch<double> b({{2, 3, 8, 8}, {2, 3, 8, 8}});
  b.student.fill(2.0), b.teacher.fill(-1.0);  // every level says 9
  EXPECT_NEAR(hierarchical_context(b.student.map(), b.teacher.map()), 9.0, 1e-14);
  b.student.fill([](index, index, index y, index x) { return y == 0 && x == 0 ? 1.0 : 0.0; });
  b.teacher.fill(0.0);
  double const expected = (1.0 / 64 + 0.5 / 16 / 16 + 0.25 / 4 / 256 + 0.125 / 4096) / 1.875;
  EXPECT_NEAR(hierarchical_context(b.student.map(), b.teacher.map()), expected, 1e-16);
}

TEST(hierarchical_context, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  EXPECT_EQ(refusal_of([&] {
              (void)hierarchical_context(b.student.map(), b.teacher.map(), {.levels = {4, -2, 1}});
            }),
            "distil::hierarchical_context: levels is -2; it must be without negative sizes");
}

}  // namespace
}  // namespace distil::testing
