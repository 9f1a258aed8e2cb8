#pragma once

#include <optional>

#include "behaviour_suite.hpp"
#include "finite_difference.hpp"

/// What holds for every divergence and is its own truth: no closed form of a test is involved.
namespace distil::testing {

/// dL/dT against the central difference of the loss, by the reference and by the loss in double.
template <class Case>
void expect_slope_of_temperature() {
  for (auto const& s : Case::settings()) {
    batch<double> b(3, 7);
    std::vector<double> slopes(3);
    (void)Case::value(serial, b, s, {}, slopes);
    for (index r = 0; r < 3; ++r) {
      auto const z = b.student.row<long double>(r), t = b.teacher.row<long double>(r);
      auto const value = [&](long double temperature) {
        auto moved = s;
        moved.temperature = static_cast<double>(temperature);
        if constexpr (requires {
                        Case::of_held_at(z, t, moved, s);
                      }) {  // weights as they are at this temperature
          return Case::of_held_at(z, t, moved, s).value;
        } else {
          return Case::of(z, t, 0, moved).value;
        }
      };
      double const expected = static_cast<double>(
          reference::temperature_derivative(value, static_cast<long double>(s.temperature)));
      EXPECT_NEAR(slopes[static_cast<std::size_t>(r)], expected / 3, 1e-8 * (1 + std::abs(expected)))
          << s.label;
    }
  }
}

/// Zero between equal distributions, never negative, and with few digits lost where the difference is small, but for an
/// `absolute` error of what is linear in p - q.
template <class Case>
void expect_accurate_near_zero(double absolute = 0.0) {
  for (auto const& s : Case::settings()) {
    for (index const columns : {3, 40, 5000}) {
      for (double const distance : {0.0, 1e-6, 1e-4, 1e-2, 0.1}) {
        batch<float> b(16, columns);
        numbers random(3);
        for (index r = 0; r < 16; ++r) {
          for (index c = 0; c < columns; ++c)
            b.teacher.set(r, c, b.student.at(r, c) + distance * random.next());
        }
        std::vector<double> values(16);
        Case::with_grad(serial, b, b.gradient.view(), s, {.values = values});
        for (index r = 0; r < 16; ++r) {
          double const value = values[static_cast<std::size_t>(r)];
          long double const exact =
              Case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), 0, s).value;
          EXPECT_GE(value, 0.0) << s.label;
          if (distance == 0.0) {
            EXPECT_LE(value, 1e-10) << s.label;
            for (index c = 0; c < columns; ++c) ASSERT_LE(std::abs(b.gradient.at(r, c)), 1e-6);
          }
          if (distance >= 1e-2) {
            EXPECT_NEAR(value, static_cast<double>(exact), 2e-3 * static_cast<double>(exact) + absolute)
                << s.label;
          }
        }
      }
    }
  }
}

/// A teacher with temperatures S of its own, in every row another, and the factors T S, 1 and a number: value and gradient
/// are those of the reference for the teacher's logits times T / S. Derivatives: by S they are those by T of such logits,
/// and where both temperatures are the same they sum up to the one by it.
template <class Case, class Loss>
void expect_teacher_temperature(Loss const& loss) {
  constexpr index rows = 9;
  std::size_t const count = rows;
  for (auto s : Case::settings()) {
    double const T = s.temperature;
    for (index const columns : {2, 7, 70}) {
      batch<double> b(rows, columns), scaled(rows, columns);
      std::vector<double> of_teacher;
      for (index r = 0; r < rows; ++r) {
        of_teacher.push_back(T * (0.75 + 0.125 * static_cast<double>(r)));
        for (index c = 0; c < columns; ++c) {
          scaled.teacher.set(r, c, b.teacher.at(r, c) * T / of_teacher.back());
        }
      }
      std::vector<double> values(count), by_student(count), by_teacher(count);
      auto options = Case::options(s, {.reduce = reduction::sum, .values = values}, by_student, false);
      options.teacher_temperature = row_parameter(of_teacher);
      options.teacher_temperature_gradient = by_teacher;
      for (int const multiplied : {0, 1, 2}) {  // by T S, by 1, by a factor
        options.scale_by_temperature_squared = multiplied == 0;
        options.factor = multiplied == 2 ? std::optional<row_parameter>(3.0) : std::nullopt;
        loss.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
        for (index r = 0; r < rows; ++r) {
          auto const at = static_cast<std::size_t>(r);
          auto const exact =
              Case::of(b.student.row<long double>(r), scaled.teacher.row<long double>(r), 0, s);
          double const ratio = (multiplied == 0   ? T * of_teacher[at]
                                : multiplied == 1 ? 1.0
                                                  : 3.0) /
                               temperature_factor(s);
          double const value = ratio * static_cast<double>(exact.value);
          EXPECT_NEAR(values[at], value, 1e-11 * (1 + std::abs(value))) << s.label << " row " << r;
          for (index c = 0; c < columns; ++c) {
            EXPECT_NEAR(b.gradient.at(r, c),
                        ratio * static_cast<double>(exact.gradient[static_cast<std::size_t>(c)]),
                        1e-11 * ratio * (1 + exact.gradient_scale))
                << s.label << " row " << r << " column " << c;
          }
        }
      }
      // The last factor does not move with a temperature.
      std::vector<double> student_alike(count), teacher_alike(count), both(count);
      auto alike = options;
      alike.teacher_temperature = row_parameter(T);
      alike.temperature_gradient = student_alike;
      alike.teacher_temperature_gradient = teacher_alike;
      (void)loss(b.student.view(), scaled.teacher.view(), alike);
      alike.teacher_temperature = std::nullopt;
      alike.temperature_gradient = both;
      alike.teacher_temperature_gradient = {};
      (void)loss(b.student.view(), scaled.teacher.view(), alike);
      for (std::size_t r = 0; r < count; ++r) {
        double const near = 1e-9 * (1 + std::abs(student_alike[r]) + std::abs(teacher_alike[r]));
        EXPECT_NEAR(by_student[r], student_alike[r], near) << s.label;
        EXPECT_NEAR(by_teacher[r] * of_teacher[r], teacher_alike[r] * T, near * (1 + T)) << s.label;
        EXPECT_NEAR(student_alike[r] + teacher_alike[r], both[r], near) << s.label;
      }
    }
  }
}

/// Values and gradients of two losses on the same batch.
template <class First, class Second>
void expect_same(First const& first, Second const& second, double relative) {
  batch<double> b(6, 90), other(6, 90);
  double const value = first(b, b.gradient.view());
  EXPECT_NEAR(value, second(other, other.gradient.view()), relative * (1 + std::abs(value)));
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 90; ++c) EXPECT_NEAR(b.gradient.at(r, c), other.gradient.at(r, c), relative);
  }
}

/// The call of a loss with options, for `expect_same`.
template <class Loss, class Options = typename Loss::options_type>
auto calling(Loss const& loss, Options const& options = {}) {
  return [=](auto& b, auto gradient) -> double {
    return loss.with_grad(b.student.view(), b.teacher.view(), gradient, options);
  };
}

/// The text of a refusal.
template <class Loss, class Options = typename Loss::options_type>
std::string refusal_of(Loss const& loss, Options const& options) {
  batch<float> b(2, 3);
  try {
    (void)loss(b.student.view(), b.teacher.view(), options);
  } catch (std::invalid_argument const& refusal) {
    return refusal.what();
  }
  return "accepted";
}

}  // namespace distil::testing
