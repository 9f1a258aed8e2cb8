#include "distil/feature/variational_information.hpp"

#include "../support/cases/variational_information.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<variational_information_case> const suites("variational_information");

TEST(variational_information, learns_the_variances) {
  std::vector<double> const parameters = {-3, 0, 0.5, 5, 40}, weights = {0.5, 0, 2};
  for (auto const form : {variance_form::softplus, variance_form::exponential}) {
    std::vector<double> found(5, 7.0);
    variational_information_case::setting s{
        "by channel",
        {.variance_parameter = parameters, .form = form, .weights = weights, .variance_gradient = found}};
    pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
    expect_pair<variational_information_case>(b, s, "channels with variances of their own");
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    std::vector<long double> at(parameters.begin(), parameters.end());
    for (std::size_t c = 0; c < 5; ++c) {
      long double const a = at[c], step = 1e-4L;
      auto const with = [&](long double moved) {
        at[c] = moved;
        return variational_information_case::of(student, teacher, s, at);
      };
      long double const slope =
          (8 * (with(a + step) - with(a - step)) - (with(a + 2 * step) - with(a - 2 * step))) / (12 * step);
      at[c] = a;
      EXPECT_NEAR(found[c], static_cast<double>(slope), 1e-12) << c;
    }
    for (double const weight : {0.5, 0.0}) {
      std::vector<double> weighed(5, 7.0);
      s.options.weight = weight;
      s.options.variance_gradient = weighed;
      (void)variational_information_case::value(serial, b, s);
      for (std::size_t c = 0; c < 5; ++c) EXPECT_EQ(weighed[c], weight * found[c]) << c;
    }
  }
}

TEST(variational_information, sums_what_channels_say_of_one_number) {
  std::vector<double> const same(5, 0.75);
  std::vector<double> of_channels(5);
  double of_one = 0;
  pair_batch<double> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  double const value = variational_information(
      b.student.map(), b.teacher.map(), {.variance_parameter = same, .variance_gradient = of_channels});
  EXPECT_EQ(variational_information(b.student.map(), b.teacher.map(),
                                    {.variance_parameter = 0.75, .variance_gradient = {&of_one, 1}}),
            value);
  double sum = 0;
  for (double const slope : of_channels) sum += slope;
  EXPECT_NEAR(of_one, sum, 1e-15);
}

TEST(variational_information, starts_at_a_variance_of_five) {
  pair_batch<double> b({{2, 3, 1, 1}, {2, 3, 1, 1}});
  b.student.fill(1.0), b.teacher.fill(3.0);
  EXPECT_NEAR(variational_information(b.student.map(), b.teacher.map()), (std::log(5.0) + 4.0 / 5) / 2, 1e-8);
}

TEST(variational_information, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](variational_information_options const& options) {
    return refusal_of([&] { (void)variational_information(b.student.map(), b.teacher.map(), options); });
  };
  std::vector<double> three(3, 0.0);
  EXPECT_EQ(
      with({.variance_parameter = three}),
      "distil::variational_information: variance_parameter is of size 3; it must be one number or one per "
      "channel, 5");
  EXPECT_EQ(with({.variance_gradient = three}),
            "distil::variational_information: variance_gradient is of size 3; it must be empty or 1, as "
            "variance_parameter");
  EXPECT_EQ(with({.epsilon = 0}), "distil::variational_information: epsilon is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
