#include "distil/response/alpha_beta.hpp"

#include "../support/cases/alpha_beta.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<alpha_beta_case> const suites("alpha_beta");

TEST(alpha_beta, obeys_the_laws) {
  expect_slope_of_temperature<alpha_beta_case>();
  expect_teacher_temperature<alpha_beta_case>(alpha_beta);
  expect_accurate_near_zero<alpha_beta_case>();
}

TEST(alpha_beta, takes_powers_of_every_kind) {
  for (auto const& [alpha, beta] : {std::pair{0.0, 0.0},
                                    {1.0, -1.0},
                                    {-0.5, 0.5},
                                    {0.0, 0.5},
                                    {0.5, 0.0},
                                    {1.5, -0.5},
                                    {-0.25, 1.0},
                                    {1.0, 1.0},
                                    {2.0, 0.0}}) {
    for (double const magnitude : {1e-3, 4.0}) {
      batch<float> b(19, 90, magnitude);
      expect_reference<alpha_beta_case>(b, parameter_setting(2, alpha, beta), {}, "powers");
      batch<double> doubles(19, 90, magnitude);
      expect_reference<alpha_beta_case>(doubles, parameter_setting(2, alpha, beta), {}, "powers");
    }
  }
}

TEST(alpha_beta, becomes_the_kullback_leibler_divergences_without_a_jump) {
  expect_same(calling(alpha_beta, {.alpha = 1, .beta = 0}), calling(forward_kl), 1e-14);
  expect_same(calling(alpha_beta, {.alpha = 0, .beta = 1}), calling(reverse_kl), 1e-14);
  for (double const near : {1e-15, -1e-15, 1e-30}) {
    expect_same(calling(alpha_beta, {.alpha = 1, .beta = near}), calling(forward_kl), 1e-13);
    expect_same(calling(alpha_beta, {.alpha = near, .beta = 1}), calling(reverse_kl), 1e-13);
  }
}

// By the mean value over neighbours, in which what is odd in the step cancels.
TEST(alpha_beta, is_smooth_at_every_special_case) {
  batch<double> b(5, 30);
  auto const at = [&](double alpha, double beta) -> double {
    return alpha_beta(b.student.view(), b.teacher.view(), {.alpha = alpha, .beta = beta});
  };
  for (auto const& [alpha, beta] : {std::pair{0.0, 0.0}, {0.5, -0.5}, {-0.5, 0.5}, {0.0, 0.7}, {0.7, 0.0}}) {
    for (double const step : {1e-4, 1e-8}) {
      double const inside = at(alpha, beta);
      if (alpha + beta > 0) {
        EXPECT_NEAR((at(alpha + step, beta) + at(alpha - step, beta)) / 2, inside, 1e3 * step * step + 1e-12)
            << alpha << beta;
        EXPECT_NEAR((at(alpha, beta + step) + at(alpha, beta - step)) / 2, inside, 1e3 * step * step + 1e-12)
            << alpha << beta;
      } else {
        EXPECT_NEAR(at(alpha + step, beta), inside, 1e4 * step) << alpha << beta;
        EXPECT_NEAR((at(alpha + step, beta - step) + at(alpha - step, beta + step)) / 2, inside,
                    1e3 * step * step + 1e-12);
      }
    }
  }
}

TEST(alpha_beta, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(alpha_beta, {.alpha = std::nan("")}),
            "distil::alpha_beta: alpha is nan; it must be finite");
  EXPECT_EQ(refusal_of(alpha_beta, {.beta = -1}),
            "distil::alpha_beta: alpha + beta is -0.8; it must be >= 0");
}

}  // namespace
}  // namespace distil::testing
