#pragma once

#include "batch_suite.hpp"
#include "finite_difference.hpp"
#include "slope_bound.hpp"

/// Derivatives by the temperature of losses on whole distributions against central differences of their references.
namespace distil::testing {

/// Of a loss of rows: `call(batch, setting, rows, slope, gradient)` evaluates it, with a gradient if `gradient`.
template <class Case, class T, class Call>
void expect_slopes_of_rows(Call const& call) {
  double const epsilon = std::numeric_limits<T>::epsilon();
  for (auto const& s : Case::settings()) {
    for (index const columns : {2, 9, 40}) {
      batch<T> b(6, columns, 2.0);
      for (index c = 0; c < columns; ++c) b.student.set(4, c, minus_infinity);
      std::vector<double> const weights = {0.5, 2, 1, 0, 1, 3};
      row_options const rows{.weights = weights};
      std::vector<double> each(6, 7.0), one(1, 7.0);
      call(b, s, rows, each, false);
      call(b, s, rows, one, true);
      double sum = 0;
      for (index r = 0; r < 6; ++r) {
        auto const at = static_cast<std::size_t>(r);
        bool const counts = weights[at] > 0 && r != 4;
        auto const z = b.student.template row<long double>(r), t = b.teacher.template row<long double>(r);
        double const weight = counts ? weights[at] / 6.5 : 0;
        truth const row = Case::of(z, t, 0, s);
        long double const slope = !counts ? 0
                                          : reference::temperature_derivative(
                                                [&](long double moved) {
                                                  auto at_moved = s;
                                                  at_moved.temperature = static_cast<double>(moved);
                                                  return Case::of(z, t, 0, at_moved).value;
                                                },
                                                s.temperature);
        double const allowed =
            epsilon * allowed_slope<Case>(b, r, row, s.temperature) + 1e-12 * row.value_scale;
        EXPECT_NEAR(each[at], weight * static_cast<double>(slope), weight * allowed)
            << s.label << ", row " << r << " of " << columns;
        sum += each[at];
      }
      EXPECT_NEAR(one[0], sum, 1e-12 * (1 + std::abs(sum))) << s.label;
      for (double const weight : {0.375, 0.0}) {
        auto weighed = s;
        weighed.weight = weight;
        std::vector<double> found(1, 7.0);
        call(b, weighed, rows, found, true);
        EXPECT_NEAR(found[0], weight * one[0], weight * 16 * epsilon * (1 + std::abs(one[0]))) << s.label;
      }
    }
  }
}

/// A teacher with a temperature of its own, and a factor, of a loss of rows: `call(batch, options)` evaluates it with its
/// gradient. softmax(t / S) is softmax of t T / S at T, so that the reference needs neither.
template <class Case, class Options, class Call>
void expect_temperature_of_teacher(Call const& call) {
  for (int const how : {0, 1, 2}) {  // times the product of both temperatures, times nothing, times a factor
    constexpr index rows = 6, columns = 9;
    batch<double> b(rows, columns, 2.0);
    std::vector<double> of_student, of_teacher, factors, values(rows), by_student(rows), by_teacher(rows);
    for (index r = 0; r < rows; ++r) {
      of_student.push_back(0.75 + 0.25 * static_cast<double>(r));
      of_teacher.push_back(3.0 - 0.375 * static_cast<double>(r));
      factors.push_back(0.5 * static_cast<double>(r));
    }
    Options options{.temperature = of_student,
                    .teacher_temperature = of_teacher,
                    .scale_by_temperature_squared = how == 0,
                    .rows = {.reduce = reduction::sum, .values = values},
                    .temperature_gradient = by_student,
                    .teacher_temperature_gradient = by_teacher};
    if (how == 2) options.factor = factors;
    loss_value const found = call(b, options);
    EXPECT_EQ(found.weight, 6.0);
    for (index r = 0; r < rows; ++r) {
      auto const at = static_cast<std::size_t>(r);
      auto const z = b.student.template row<long double>(r), t = b.teacher.template row<long double>(r);
      auto const naive = [&](exact_row const& x, double own, double others) {
        exact_row scaled = t;
        for (long double& each : scaled) each *= static_cast<long double>(own) / others;
        double const factor = how == 0 ? own * others : how == 1 ? 1.0 : factors[at];
        return factor * Case::of(x, scaled, 0, {.temperature = own, .squared = false}).value;
      };
      double const S = of_student[at], T = of_teacher[at];
      EXPECT_NEAR(values[at], static_cast<double>(naive(z, S, T)), 1e-13) << how;
      auto const slope = [&](auto const& value_at, double temperature) {
        double const step = 1e-5 * temperature;
        return static_cast<double>((value_at(temperature + step) - value_at(temperature - step)) /
                                   (2 * step));
      };
      EXPECT_NEAR(by_student[at], slope([&](double x) { return naive(z, x, T); }, S), 1e-8) << how;
      EXPECT_NEAR(by_teacher[at], slope([&](double x) { return naive(z, S, x); }, T), 1e-8) << how;
      auto const gradient = reference::gradient([&](exact_row const& x) { return naive(x, S, T); }, z);
      for (index c = 0; c < columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(gradient[static_cast<std::size_t>(c)]), 1e-10)
            << how;
      }
    }
  }
}

/// Of a loss that couples rows.
template <class Case, auto const& loss, class T>
void expect_slope_of_batch() {
  double const epsilon = std::numeric_limits<T>::epsilon();
  for (auto const& s : Case::settings()) {
    batch<T> b(5, 7, 2.0);
    std::vector<double> const weights = {0.5, 2, 1, 0, 1};
    std::vector<long double> const exact_weights(weights.begin(), weights.end());
    exact_matrix students, teachers;
    for (index r = 0; r < 5; ++r) {
      students.push_back(b.student.template row<long double>(r));
      teachers.push_back(b.teacher.template row<long double>(r));
    }
    std::vector<double> one(1, 7.0), again(1, 7.0), alone(1, 7.0);
    auto options = Case::options(s, {.weights = weights}, false);
    options.temperature_gradient = one;
    (void)loss(b.student.view(), b.teacher.view(), options);
    options.temperature_gradient = again;
    loss.with_grad(parallel_policy{2}, b.student.view(), b.teacher.view(), b.gradient.view(), options);
    EXPECT_EQ(one[0], again[0]) << s.label;
    expect_slope(
        one[0],
        [&](long double moved) {
          auto at_moved = s;
          at_moved.temperature = static_cast<double>(moved);
          return Case::of(students, teachers, exact_weights, at_moved).value;
        },
        s.temperature, Case::bound, epsilon, Case::of(students, teachers, exact_weights, s).value_scale,
        s.label);
    for (double const weight : {0.375, 0.0}) {
      auto weighed = options;
      std::vector<double> found(1, 7.0);
      weighed.weight = weight;
      weighed.temperature_gradient = found;
      (void)loss(b.student.view(), b.teacher.view(), weighed);
      EXPECT_DOUBLE_EQ(found[0], weight * one[0]) << s.label;
    }
    // A distribution that stays where it is: the student's side alone.
    owned_matrix<T> p(5, 7, layout::row_major);
    distil::softmax(b.teacher.view(), p.view());
    auto const value_at = [&](double moved) {
      auto at_moved = s;
      at_moved.temperature = moved;
      return loss_value(loss(b.student.view(), probabilities(std::as_const(p).view()),
                             Case::options(at_moved, {.weights = weights}, false)))
          .value;
    };
    options.temperature_gradient = alone;
    (void)loss(b.student.view(), probabilities(std::as_const(p).view()), options);
    if constexpr (std::is_same_v<T, double>) {
      double const step = 1e-5 * s.temperature;
      double const of_student =
          (value_at(s.temperature + step) - value_at(s.temperature - step)) / (2 * step);
      EXPECT_NEAR(alone[0], of_student, 1e-7 * (1 + std::abs(of_student))) << s.label;
    }
    // Nothing counts.
    options.rows.weights = 0;
    (void)loss(b.student.view(), b.teacher.view(), options);
    EXPECT_EQ(alone[0], 0.0);
  }
}

}  // namespace distil::testing
