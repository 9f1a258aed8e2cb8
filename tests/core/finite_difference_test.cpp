#include "../support/finite_difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../support/reference.hpp"
#include "../support/reference_gradient.hpp"

namespace distil::reference {
namespace {

using real = long double;

TEST(finite_difference, knows_the_derivatives_of_textbooks) {
  auto const holds = [](function_of_number const& function, real x, real expected) {
    EXPECT_NEAR(static_cast<double>(derivative(function, x, 0.25L) / expected), 1.0, 1e-14) << "at " << x;
  };
  for (real const x : {-3.0L, -0.1L, 0.5L, 2.0L, 9.0L}) {
    holds([](real y) { return std::exp(y); }, x, std::exp(x));
    holds([](real y) { return std::sin(y); }, x, std::cos(x));
    holds([](real y) { return y * y * y * y; }, x, 4 * x * x * x);
    holds([](real y) { return std::atan(y); }, x, 1 / (1 + x * x));
  }
}

TEST(finite_difference, does_not_move_a_masked_logit) {
  real const masked = -std::numeric_limits<real>::infinity();
  auto const loss = [](row<real> const& z) { return log_sum_exp(z, 2); };
  row<real> const found = gradient(loss, {1, masked, 1});
  EXPECT_NEAR(static_cast<double>(found[0]), 0.25, 1e-15);
  EXPECT_EQ(found[1], 0);
}

row<real> random_row(unsigned seed, std::size_t classes, bool masked) {
  std::mt19937 source(seed);
  row<real> result;
  for (std::size_t c = 0; c < classes; ++c)
    result.push_back(static_cast<real>(static_cast<int>(source() % 2049U) - 1024) / 256);
  if (masked) result[classes / 2] = -std::numeric_limits<real>::infinity();
  return result;
}

void expect_near(real closed, real found, real size, std::string const& what) {
  EXPECT_LE(std::abs(closed - found), 1e-11L * size) << what << ": " << closed << " against " << found;
}

/// Eleven digits of what is subtracted: the value of the loss and the largest of its slopes.
void expect_gradient(row<real> const& closed, function_of_row const& value, row<real> const& z, real step,
                     std::string const& what) {
  row<real> const found = gradient(value, z, step);
  real size = std::abs(value(z));
  for (real const entry : found) size = std::max(size, std::abs(entry));
  for (std::size_t c = 0; c < z.size(); ++c)
    expect_near(closed[c], found[c], size, what + " entry " + std::to_string(c));
}

void expect_slope(real closed, function_of_number const& value, real temperature, std::string const& what) {
  real const found = temperature_derivative(value, temperature);
  expect_near(closed, found, std::max(std::abs(found), std::abs(value(temperature))),
              what + " by temperature");
}

/// One student and one teacher at one temperature, with the closed forms of every loss beside their
/// differences.
class closed_forms : public testing::TestWithParam<std::tuple<std::size_t, bool, double>> {
 protected:
  std::size_t const classes = std::get<0>(GetParam());
  bool const masked = std::get<1>(GetParam());
  real const temperature = std::get<2>(GetParam());
  real const step = std::min(0.25L, temperature);
  row<real> const z = random_row(1, classes, masked);
  row<real> const t = random_row(2, classes, masked);
  distribution<real> const q = from_logits(z, temperature);
  distribution<real> const p = from_logits(t, temperature);

  /// Any of the divergences, whose closed forms share one shape.
  template <class Value, class Gradient, class Slope>
  void expect_divergence(Value value, Gradient closed_gradient, Slope slope, std::string const& what) const {
    auto const of_student = [&](row<real> const& x) { return value(p, from_logits(x, temperature)).value; };
    expect_gradient(closed_gradient(z, p, temperature), of_student, z, step, what);
    auto const of_both = [&](real T) { return value(from_logits(t, T), from_logits(z, T)).value; };
    expect_slope(slope(p, q, teacher_form::logits, temperature), of_both, temperature,
                 what + " moving teacher");
    auto const of_one = [&](real T) { return value(p, from_logits(z, T)).value; };
    expect_slope(slope(p, q, teacher_form::given, temperature), of_one, temperature, what + " given teacher");
  }
};

TEST_P(closed_forms, of_the_divergences) {
  expect_divergence(forward_kl<real>, forward_kl_gradient<real>, forward_kl_by_temperature<real>,
                    "forward_kl");
  expect_divergence(reverse_kl<real>, reverse_kl_gradient<real>, reverse_kl_by_temperature<real>,
                    "reverse_kl");
  expect_divergence(soft_cross_entropy<real>, forward_kl_gradient<real>,
                    soft_cross_entropy_by_temperature<real>, "soft_ce");
  expect_divergence(squared_hellinger<real>, squared_hellinger_gradient<real>,
                    squared_hellinger_by_temperature<real>, "hellinger");
}

TEST_P(closed_forms, of_log_sum_exp_and_entropy) {
  expect_gradient(
      log_sum_exp_gradient(z, temperature), [&](row<real> const& x) { return log_sum_exp(x, temperature); },
      z, step, "lse");
  expect_slope(
      log_sum_exp_by_temperature(z, temperature), [&](real T) { return log_sum_exp(z, T); }, temperature,
      "lse");
  expect_gradient(
      entropy_gradient(z, temperature), [&](row<real> const& x) { return entropy(x, temperature).value; }, z,
      step, "entropy");
  expect_slope(
      entropy_by_temperature(z, temperature), [&](real T) { return entropy(z, T).value; }, temperature,
      "entropy");
}

TEST_P(closed_forms, of_the_pull_backs) {
  row<real> g = random_row(3, classes, false);
  auto const softened = [&](row<real> const& x, real T) { return expectation(g, softmax(x, T)); };
  expect_gradient(
      softmax_pull_back(z, g, temperature), [&](row<real> const& x) { return softened(x, temperature); }, z,
      step, "softmax");
  expect_slope(
      softmax_pull_back_by_temperature(z, g, temperature), [&](real T) { return softened(z, T); },
      temperature, "softmax");
  if (masked) g[classes / 2] = 0;
  auto const logarithm = [&](row<real> const& x, real T) { return expectation(g, log_softmax(x, T)); };
  expect_gradient(
      log_softmax_pull_back(z, g, temperature), [&](row<real> const& x) { return logarithm(x, temperature); },
      z, step, "log_softmax");
  expect_slope(
      log_softmax_pull_back_by_temperature(z, g, temperature), [&](real T) { return logarithm(z, T); },
      temperature, "log_softmax");
}

TEST_P(closed_forms, of_cross_entropy_and_hinton_kd) {
  row<real> const weights = exponential(random_row(4, classes, false));
  real const smoothing = masked ? 0 : 0.1L;
  for (auto const convention : {smoothing_convention::all_classes, smoothing_convention::other_classes}) {
    target<real> const wanted = label_target<real>(classes, 0, {smoothing, convention, weights});
    expect_gradient(
        cross_entropy_gradient(z, wanted), [&](row<real> const& x) { return cross_entropy(x, wanted).value; },
        z, 0.25L, "ce");
    for (bool const squared : {true, false}) {
      hinton_options<real> const options{temperature, 0.7L, 0.4L, squared};
      auto const of_student = [&](row<real> const& x) { return hinton_kd(x, p, wanted, options).value; };
      expect_gradient(hinton_kd_gradient(z, p, wanted, options), of_student, z, step, "hinton");
      auto const at = [&](real T, distribution<real> const& teacher) {
        return hinton_kd(z, teacher, wanted, {T, 0.7L, 0.4L, squared}).value;
      };
      expect_slope(
          hinton_kd_by_temperature(z, p, teacher_form::logits, wanted, options),
          [&](real T) { return at(T, from_logits(t, T)); }, temperature, "hinton moving teacher");
      expect_slope(
          hinton_kd_by_temperature(z, p, teacher_form::given, wanted, options),
          [&](real T) { return at(T, p); }, temperature, "hinton given teacher");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(rows, closed_forms,
                         testing::Combine(testing::Values<std::size_t>(2, 3, 5, 17), testing::Bool(),
                                          testing::Values(0.05, 0.5, 1.0, 4.0, 100.0)));

}  // namespace
}  // namespace distil::reference
