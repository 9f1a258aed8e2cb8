#include "distil/feature/attention_hint.hpp"

#include "../support/cases/attention_hint.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<attention_hint_case> const suites("attention_hint");

TEST(attention_hint, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  for (auto s : attention_hint_case::settings()) {
    pair_batch<double> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
    s.options.weights = weights;
    expect_pair<attention_hint_case>(b, s, "weighed");
    double const before = attention_hint_case::value(serial, b, s);
    b.student.set(1, 0, 2, 2, std::nan(""));
    EXPECT_EQ(attention_hint_case::with_grad(serial, b, b.gradient, s, false), before);
    EXPECT_EQ(b.gradient.at(1, 0, 2, 2), 0.0);
  }
}

TEST(attention_hint, is_the_mean_where_the_teacher_looks_everywhere) {
  pair_batch<double> b({{2, 2, 3, 3}, {2, 2, 3, 3}});
  for (double const everywhere : {0.0, -1.5}) {
    b.teacher.fill(everywhere);
    double expected = 0;
    for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
      expected += std::pow(b.student.at(n, c, y, x) - everywhere, 2) / 36;
    });
    for (auto const weighting : {attention_weighting::softmax, attention_weighting::normalized})
      EXPECT_NEAR(attention_hint(b.student.map(), b.teacher.map(), {.weighting = weighting}), expected,
                  1e-14);
  }
}

TEST(attention_hint, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](attention_hint_options const& options) {
    return refusal_of([&] { (void)attention_hint(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.temperature = 0}),
            "distil::attention_hint: temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(with({.power = 0}), "distil::attention_hint: power is 0; it must be within [1, 64]");
}

}  // namespace
}  // namespace distil::testing
