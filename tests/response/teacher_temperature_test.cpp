#include <gtest/gtest.h>

#include "../support/allocations.hpp"
#include "../support/cases/forward_kl.hpp"
#include "../support/finite_difference.hpp"
#include "../support/refusal.hpp"
#include "distil/response.hpp"

/// A teacher with a temperature of its own, and a factor that the caller fixes.
namespace distil::testing {
namespace {

using number = long double;

struct squared_hellinger_function {
  static constexpr char const* name = "squared_hellinger";
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(0.5 * log_p) - exp(0.5 * log_q);
    return 0.5 * difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return -0.5 * exp(0.5 * log_q) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
  template <class Lanes>
  Lanes d_log_p(Lanes log_p, Lanes log_q) const {
    return 0.5 * exp(0.5 * log_p) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
};
constexpr divergence<squared_hellinger_function> squared_hellinger{};

enum class multiplied { by_product, by_nothing, by_three, by_one_a_row };

/// One row's loss, from the formula alone; `own` is the factor of the row where it has one.
template <class Divergence>
number naive(exact_row const& z, exact_row const& t, number student, number teacher, multiplied how,
             number own, Divergence divergence) {
  number const factor = how == multiplied::by_product     ? student * teacher
                        : how == multiplied::by_three     ? 3
                        : how == multiplied::by_one_a_row ? own
                                                          : 1;
  return factor * divergence(reference::from_logits(t, teacher), reference::from_logits(z, student)).value;
}

template <class Loss, class Divergence>
void expect_naive(Loss const& loss, Divergence divergence) {
  constexpr index rows = 19;
  for (multiplied const how :
       {multiplied::by_product, multiplied::by_nothing, multiplied::by_three, multiplied::by_one_a_row}) {
    for (index const columns : {2, 5, 140}) {
      batch<double> b(rows, columns);
      std::vector<double> of_student, of_teacher, factors, values(rows), by_student(rows), by_teacher(rows);
      for (index r = 0; r < rows; ++r) {
        of_student.push_back(0.75 + 0.25 * static_cast<double>(r));
        of_teacher.push_back(3.0 - 0.125 * static_cast<double>(r));
        factors.push_back(0.25 * static_cast<double>(1 + r * 5 % 7));
      }
      if (columns > 2) b.student.set(3, 1, minus_infinity), b.teacher.set(3, 1, minus_infinity);
      divergence_options options{.temperature = of_student,
                                 .teacher_temperature = of_teacher,
                                 .scale_by_temperature_squared = how == multiplied::by_product,
                                 .rows = {.reduce = reduction::sum, .weights = 0.5, .values = values},
                                 .temperature_gradient = by_student,
                                 .teacher_temperature_gradient = by_teacher};
      if (how == multiplied::by_three) options.factor = 3;
      if (how == multiplied::by_one_a_row) options.factor = factors;
      loss.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
      expect_no_allocation("teacher_temperature", [&] {
        loss.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
      });
      for (index r = 0; r < rows; ++r) {
        auto const at = static_cast<std::size_t>(r);
        auto const z = b.student.row<number>(r), t = b.teacher.row<number>(r);
        number const S = of_student[at], T = of_teacher[at], own = factors[at];
        EXPECT_NEAR(values[at], static_cast<double>(naive(z, t, S, T, how, own, divergence)), 1e-12);
        auto const slope = [&](auto const& of) {
          return static_cast<double>(reference::temperature_derivative(of, 1)) / 2;
        };
        EXPECT_NEAR(by_student[at] * of_student[at],
                    slope([&](number x) { return naive(z, t, x * S, T, how, own, divergence); }), 1e-10);
        EXPECT_NEAR(by_teacher[at] * of_teacher[at],
                    slope([&](number x) { return naive(z, t, S, x * T, how, own, divergence); }), 1e-10);
        if (columns > 5) continue;
        auto const gradient = reference::gradient(
            [&](exact_row const& x) { return naive(x, t, S, T, how, own, divergence); }, z);
        for (index c = 0; c < columns; ++c) {
          EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(gradient[static_cast<std::size_t>(c)]) / 2,
                      1e-11);
        }
      }
    }
  }
}

TEST(teacher_temperature, is_that_of_the_formula) {
  expect_naive(forward_kl, reference::forward_kl<number>);
  expect_naive(soft_cross_entropy, reference::soft_cross_entropy<number>);
  expect_naive(squared_hellinger, reference::squared_hellinger<number>);
}

TEST(teacher_temperature, of_one_number_gives_one_derivative_each) {
  batch<double> b(21, 30);
  std::vector<double> student(1), teacher(1), both(1), student_rows(21), teacher_rows(21);
  double const value =
      forward_kl(b.student.view(), b.teacher.view(), {.temperature = 2, .temperature_gradient = both});
  EXPECT_DOUBLE_EQ(forward_kl(b.student.view(), b.teacher.view(),
                              {.temperature = 2,
                               .teacher_temperature = 2,
                               .temperature_gradient = student,
                               .teacher_temperature_gradient = teacher}),
                   value);
  (void)forward_kl(b.student.view(), b.teacher.view(),
                   {.temperature = 2,
                    .teacher_temperature = 2,
                    .temperature_gradient = student_rows,
                    .teacher_temperature_gradient = teacher_rows});
  double sum = 0;
  for (double const one : teacher_rows) sum += one;
  EXPECT_NEAR(teacher[0], sum, 1e-13);
  EXPECT_NEAR(student[0] + teacher[0], both[0], 1e-13);
  EXPECT_GT(std::abs(teacher[0]), 1e-3);
  // The teacher's alone can be asked for, too.
  std::vector<double> alone(1);
  (void)forward_kl(b.student.view(), b.teacher.view(),
                   {.temperature = 2, .teacher_temperature = 2, .teacher_temperature_gradient = alone});
  EXPECT_EQ(alone[0], teacher[0]);
}

TEST(teacher_temperature, of_rows_that_do_not_count_is_without_influence) {
  batch<float> b(40, 9);
  std::vector<double> weights(40, 0.0), slope(40, 7.0);
  weights[3] = 1;
  for (index c = 0; c < 9; ++c) b.teacher.set(2, c, std::nan(""));
  (void)forward_kl(
      b.student.view(), b.teacher.view(),
      {.teacher_temperature = 2, .rows = {.weights = weights}, .teacher_temperature_gradient = slope});
  for (std::size_t r = 0; r < 40; ++r) EXPECT_EQ(slope[r] != 0, r == 3) << r;
}

TEST(teacher_temperature, converts_what_was_captured) {
  batch<double> b(6, 40);
  owned_matrix<double> p(6, 40, layout::row_major);
  distil::softmax(b.teacher.view(), p.view(), {.temperature = 3});
  std::vector<double> slope(1), expected_slope(1);
  double const expected = forward_kl(
      b.student.view(), b.teacher.view(),
      {.temperature = 2, .teacher_temperature = 5, .teacher_temperature_gradient = expected_slope});
  EXPECT_NEAR(forward_kl(b.student.view(), probabilities(p.view(), 3),
                         {.temperature = 2, .teacher_temperature = 5, .teacher_temperature_gradient = slope}),
              expected, 1e-13);
  EXPECT_NEAR(slope[0], expected_slope[0], 1e-13);
}

TEST(teacher_temperature, softens_the_soft_term_of_hinton_kd) {
  batch<double> b(6, 40);
  std::vector<double> slope(1), expected_slope(1);
  double const soft = forward_kl(b.student.view(), b.teacher.view(),
                                 {.temperature = 2,
                                  .teacher_temperature = 3,
                                  .factor = 7,
                                  .teacher_temperature_gradient = expected_slope});
  auto const found = distil::hinton_kd(b.student.view(), b.teacher.view(), b.labels,
                                       {.temperature = 2,
                                        .teacher_temperature = 3,
                                        .factor = 7,
                                        .soft_weight = 0.5,
                                        .teacher_temperature_gradient = slope});
  EXPECT_NEAR(found.soft, soft, 1e-13);
  EXPECT_NEAR(slope[0], 0.5 * expected_slope[0], 1e-13);
}

TEST(teacher_temperature, is_refused_where_it_has_no_meaning) {
  batch<double> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  std::vector<double> one(1), two(2, 1.0);
  auto const refused = [&](auto const& teacher, divergence_options const& options) {
    return refusal_of([&] { (void)forward_kl(z, teacher, options); });
  };
  EXPECT_EQ(refused(t, {.teacher_temperature = 0}),
            "distil::forward_kl: teacher_temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refused(t, {.teacher_temperature = two}),
            "distil::forward_kl: teacher_temperature is of size 2; it must be one per row, 3");
  std::vector<double> const negative = {1, -1, 1};
  EXPECT_EQ(refused(t, {.teacher_temperature = negative}),
            "distil::forward_kl: teacher_temperature is -1 in row 1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refused(t, {.factor = negative}),
            "distil::forward_kl: factor is -1 in row 1; it must be finite and >= 0");
  EXPECT_EQ(refused(t, {.factor = -1}), "distil::forward_kl: factor is -1; it must be finite and >= 0");
  EXPECT_EQ(refused(t, {.teacher_temperature_gradient = one}),
            "distil::forward_kl: teacher_temperature_gradient is asked for; it must be left out, unless "
            "teacher_temperature is set");
  EXPECT_EQ(refused(t, {.teacher_temperature = 2, .teacher_temperature_gradient = two}),
            "distil::forward_kl: teacher_temperature_gradient is of size 2; it must be of size 1 or one per "
            "row, 3");
  EXPECT_EQ(
      refused(probabilities(t), {.teacher_temperature = 2}),
      "distil::forward_kl: teacher_temperature is set; it must be left out for a distribution that does not "
      "say what it was captured at");
  EXPECT_EQ(
      refused(t,
              {.teacher_temperature = 2, .temperature_gradient = one, .teacher_temperature_gradient = one}),
      "distil::forward_kl: teacher_temperature_gradient is shared with another gradient; it must be one of "
      "its "
      "own");
}

}  // namespace
}  // namespace distil::testing
