#include "distil/response/adaptive_alpha.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/adaptive_alpha.hpp"
#include "../support/divergence_laws.hpp"
#include "../support/finite_difference.hpp"
#include "../support/refusal.hpp"
#include "distil/response/amari_alpha.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<adaptive_alpha_case> const suites("adaptive_alpha");

TEST(adaptive_alpha, takes_a_teacher_temperature_and_a_factor) {
  expect_teacher_temperature<adaptive_alpha_case>(adaptive_alpha);
}

TEST(adaptive_alpha, is_the_larger_of_two_divergences_of_each_row) {
  batch<double> b(30, 12, 1.0);
  std::vector<double> values(30), low(30), high(30);
  auto const z = b.student.view(), t = b.teacher.view();
  (void)adaptive_alpha(z, t, {.ratio_limit = 1e30, .rows = {.values = values}});
  (void)amari_alpha(z, t, {.alpha = -1, .rows = {.values = low}});
  (void)forward_kl(z, t, {.rows = {.values = high}});
  int lower = 0;
  for (std::size_t r = 0; r < 30; ++r) {
    EXPECT_NEAR(values[r], std::max(low[r], high[r]), 1e-13);
    lower += low[r] > high[r] ? 1 : 0;
  }
  EXPECT_GT(lower, 0);
  EXPECT_LT(lower, 30);
}

TEST(adaptive_alpha, without_a_limit_has_the_gradient_of_its_value) {
  for (auto const& [low, high] : {std::pair{-1.0, 1.0}, std::pair{0.0, 2.0}, std::pair{0.5, -0.5}}) {
    adaptive_alpha_options const options{
        .temperature = 2, .alpha_min = low, .alpha_max = high, .ratio_limit = 1e30};
    batch<double> b(6, 5, 2.0);
    adaptive_alpha.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 5; ++c) {
        double const here = b.student.at(r, c);
        auto const at = [&](double by) -> double {
          b.student.set(r, c, here + by);
          return adaptive_alpha(b.student.view(), b.teacher.view(), options);
        };
        double const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        (void)at(0);
        EXPECT_NEAR(b.gradient.at(r, c), slope, 1e-8 * (1 + std::abs(slope)));
      }
    }
  }
}

TEST(adaptive_alpha, limits_what_a_rare_class_counts) {
  // p = (1 - e, e), q = (1/2, 1/2): q^2 / p would be 1 / (4 e), and counts for 1000 q.
  double const e = 1e-9, student[] = {0, 0}, teacher[] = {std::log1p(-e), std::log(e)};
  double gradient[2];
  double const value = adaptive_alpha.with_grad(
      matrix_view(student, 1, 2), log_probabilities(matrix_view(teacher, 1, 2)), matrix_view(gradient, 1, 2));
  EXPECT_NEAR(value, (0.25 / (1 - e) + 500 - 1) / 2, 1e-10);
  // psi = q min(q / p, 1000), psi - q sum psi.
  double const psi[] = {0.25 / (1 - e), 500};
  EXPECT_NEAR(gradient[0], psi[0] - 0.5 * (psi[0] + psi[1]), 1e-10);
  EXPECT_NEAR(gradient[1], psi[1] - 0.5 * (psi[0] + psi[1]), 1e-10);
}

TEST(adaptive_alpha, stays_finite_where_the_teacher_has_masked_a_class) {
  double const student[] = {0, 0}, teacher[] = {0, minus_infinity};
  double gradient[2];
  double const value = adaptive_alpha.with_grad(matrix_view(student, 1, 2), matrix_view(teacher, 1, 2),
                                                matrix_view(gradient, 1, 2));
  EXPECT_NEAR(value, (0.25 + 500 - 1) / 2, 1e-11);
  EXPECT_NEAR(gradient[1], 500 - 0.5 * 500.25, 1e-11);
}

TEST(adaptive_alpha, refuses_what_it_cannot_use) {
  batch<float> b(2, 3);
  auto const z = b.student.view(), t = b.teacher.view();
  std::string const name = "distil::adaptive_alpha: ";
  EXPECT_EQ(refusal_of([&] { (void)adaptive_alpha(z, t, {.alpha_min = minus_infinity}); }),
            name + "alpha_min is -inf; it must be finite");
  EXPECT_EQ(refusal_of([&] { (void)adaptive_alpha(z, t, {.alpha_max = minus_infinity}); }),
            name + "alpha_max is -inf; it must be finite");
  EXPECT_EQ(refusal_of([&] { (void)adaptive_alpha(z, t, {.ratio_limit = 0.5}); }),
            name + "ratio_limit is 0.5; it must be finite and >= 1");
}

}  // namespace
}  // namespace distil::testing
