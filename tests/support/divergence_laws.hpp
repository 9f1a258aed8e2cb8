#pragma once

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
