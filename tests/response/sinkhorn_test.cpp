#include "distil/response/sinkhorn.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/sinkhorn.hpp"
#include "../support/refusal.hpp"
#include "../support/temperature_slopes.hpp"

namespace distil::testing {
namespace {

batch_suites<sinkhorn_case> const suites("sinkhorn");

TEST(sinkhorn, moves_a_batch_onto_itself_in_any_order_for_little) {
  // Sharp predictions, each of them somewhere in the teacher's batch: the plan finds the permutation.
  batch<double> b(4, 4);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 4; ++c) {
      b.student.set(r, c, c == r ? 30.0 : 0.0), b.teacher.set(r, c, c == 3 - r ? 30.0 : 0.0);
    }
  }
  EXPECT_LT(sinkhorn(b.student.view(), b.teacher.view(), {.temperature = 1}), 1e-6);
}

TEST(sinkhorn, is_the_distance_of_two_rows) {
  double const student[] = {std::log(0.2), std::log(0.8)}, teacher[] = {0.7, 0.3};
  double gradient[2];
  double const value =
      sinkhorn.with_grad(matrix_view(student, 1, 2), probabilities(matrix_view(teacher, 1, 2)),
                         matrix_view(gradient, 1, 2), {.temperature = 1});
  EXPECT_NEAR(value, 1.0, 1e-15);
  EXPECT_NEAR(gradient[0], 0.2 * (-1 - 0.6), 1e-15);  // g = -1, 1 and sum q g = 0.6
  EXPECT_NEAR(gradient[1], 0.8 * (1 - 0.6), 1e-15);
}

TEST(sinkhorn, with_a_fixed_plan_descends_the_smoothed_problem) {
  // The dual value of the converged iteration, sum P M - epsilon H(P), has the plan for its derivative by the cost.
  batch<double> b(3, 4, 2.0);
  double const epsilon = 0.5;
  sinkhorn.with_grad(
      b.student.view(), b.teacher.view(), b.gradient.view(),
      {.temperature = 1, .epsilon = epsilon, .iterations = 500, .gradient = transport_gradient::fixed_plan});
  exact_matrix students, teachers;
  for (index r = 0; r < 3; ++r) {
    students.push_back(b.student.row<long double>(r)), teachers.push_back(b.teacher.row<long double>(r));
  }
  std::vector<long double> const ones(3, 1), mass(3, 1.0L / 3);
  for (std::size_t r = 0; r < 3; ++r) {
    auto const smoothed = [&](exact_row const& z) {
      exact_matrix moved = students;
      moved[r] = z;
      auto const batch = distributions(moved, teachers, ones, 1);
      exact_matrix cost(3, exact_row(3, 0));
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          for (std::size_t c = 0; c < 4; ++c) cost[i][j] += std::abs(batch.q[j][c] - batch.p[i][c]);
        }
      }
      auto const plan = reference::transport(cost, mass, mass, epsilon, 500);
      long double value = plan.value;
      for (auto const& row : plan.plan) {
        for (long double const p : row) value += epsilon * p * std::log(p);
      }
      return value;
    };
    auto const difference = reference::gradient(smoothed, students[r]);
    for (index c = 0; c < 4; ++c) {
      EXPECT_NEAR(b.gradient.at(static_cast<index>(r), c),
                  static_cast<double>(difference[static_cast<std::size_t>(c)]), 1e-10);
    }
  }
}

TEST(sinkhorn, has_no_slope_where_batches_are_equal_and_plans_sharp) {
  batch<float> b(1, 9);
  for (index c = 0; c < 9; ++c) b.teacher.set(0, c, b.student.at(0, c));
  EXPECT_EQ(sinkhorn.with_grad(b.student.view(), b.teacher.view(), b.gradient.view()), 0.0);
  for (index c = 0; c < 9; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(sinkhorn, does_not_underflow_for_a_small_epsilon) {
  // e^(-M / epsilon) would be e^-2000.
  batch<double> b(5, 6, 30.0);
  double const value = sinkhorn.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                          {.temperature = 1, .epsilon = 1e-3, .iterations = 200});
  EXPECT_TRUE(value > 0 && value <= 2) << value;
  for (index r = 0; r < 5; ++r) {
    for (index c = 0; c < 6; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(r, c)));
  }
}

TEST(sinkhorn, refuses) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  std::string const name = "distil::sinkhorn: ";
  EXPECT_EQ(refusal_of([&] { (void)sinkhorn(z, t, {.epsilon = 0}); }),
            name + "epsilon is 0; it must be within [1e-3, 1e3]");
  EXPECT_EQ(refusal_of([&] { (void)sinkhorn(z, t, {.iterations = 0}); }),
            name + "iterations is 0; it must be within [1, 1000]");
  EXPECT_EQ(refusal_of([&] { (void)sinkhorn(z, t, {.gradient = static_cast<transport_gradient>(7)}); }),
            name + "gradient is 7; it must be transport_gradient::exact or transport_gradient::fixed_plan");
  EXPECT_EQ(refusal_of([&] { sinkhorn.with_grad(z, t, t); }),
            name + "gradient is overlapping the teacher; it must be apart from the teacher");
}

TEST(sinkhorn, differentiates_by_the_temperature) {
  expect_slope_of_batch<sinkhorn_case, distil::sinkhorn, double>();
  expect_slope_of_batch<sinkhorn_case, distil::sinkhorn, float>();
}

}  // namespace
}  // namespace distil::testing
