#include "distil/response/dynamic_temperature_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/dynamic_temperature_kd.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<dynamic_temperature_kd_case> const suites("dynamic_temperature_kd");

TEST(dynamic_temperature_kd, gives_its_three_terms) {
  batch<double> b(6, 20);
  auto const z = b.student.view(), t = b.teacher.view();
  auto const found = dynamic_temperature_kd(z, t, b.labels, {.temperature = 2});
  EXPECT_NEAR(found.hard, cross_entropy(z, b.labels), 1e-13);
  EXPECT_NEAR(found.vanilla, forward_kl(z, t, {.temperature = 2}), 1e-13);
  EXPECT_NEAR(found.value, found.hard + found.vanilla + 3 * found.dynamic, 1e-12);
  auto const unlabelled = dynamic_temperature_kd.with_grad(z, t, b.gradient.view(), {.temperature = 2});
  EXPECT_NEAR(unlabelled.value, found.vanilla + 3 * found.dynamic, 1e-12);
  EXPECT_EQ(unlabelled.hard.weight, 0.0);
}

TEST(dynamic_temperature_kd, is_vanilla_where_maxima_agree_or_are_not_positive) {
  for (double const top : {2.0, 0.0, -1.0}) {
    batch<double> b(5, 8);
    for (index r = 0; r < 5; ++r) {
      for (index c = 0; c < 8; ++c) {
        b.student.set(r, c, top - 1 - std::abs(b.student.at(r, c))),
            b.teacher.set(r, c, top - 1 - std::abs(b.teacher.at(r, c)));
      }
      b.student.set(r, 3, top), b.teacher.set(r, 5, top);
    }
    auto const found = dynamic_temperature_kd(b.student.view(), b.teacher.view());
    EXPECT_NEAR(found.dynamic, found.vanilla, 1e-13) << top;
  }
  batch<double> b(2, 8);
  owned_matrix<double> expected(2, 8, layout::row_major);
  for (index c = 0; c < 8; ++c)
    b.student.set(0, c, -1 - std::abs(b.student.at(0, c))), b.teacher.set(1, c, -0.5);
  dynamic_temperature_kd.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                   {.vanilla_weight = 0});
  forward_kl.with_grad(b.student.view(), b.teacher.view(), expected.view(), {.temperature = 4});
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 8; ++c) EXPECT_NEAR(b.gradient.at(r, c), 3 * expected.at(r, c), 1e-13);
  }
}

TEST(dynamic_temperature_kd, moves_every_class_that_reaches_the_maximum) {
  batch<double> b(1, 6);
  b.student.set(0, 1, 3.5), b.student.set(0, 4, 3.5), b.student.set(0, 0, 1), b.student.set(0, 2, -1);
  dynamic_setting const s{{.label = "ties", .temperature = 2, .soft_weight = 1, .hard_weight = 0}, 0.0};
  expect_reference<dynamic_temperature_kd_case>(b, s, {}, "ties");
  // Both together move as the formula does when both are raised.
  double const step = 1e-6;
  auto const at = [&](double height) {
    batch<double> moved(1, 6);
    for (index c = 0; c < 6; ++c) moved.student.set(0, c, b.student.at(0, c));
    moved.student.set(0, 1, height), moved.student.set(0, 4, height);
    return dynamic_temperature_kd(moved.student.view(), moved.teacher.view(),
                                  {.temperature = 2, .dynamic_weight = 1, .vanilla_weight = 0})
        .value;
  };
  EXPECT_NEAR(b.gradient.at(0, 1) + b.gradient.at(0, 4), (at(3.5 + step) - at(3.5 - step)) / (2 * step),
              1e-8);
}

TEST(dynamic_temperature_kd, refuses_under_its_own_name) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  auto const refused = [&](dynamic_temperature_kd_options const& options) {
    return refusal_of([&] { (void)dynamic_temperature_kd(z, t, b.labels, options); });
  };
  std::string const name = "distil::dynamic_temperature_kd: ";
  EXPECT_EQ(refused({.temperature = 0}), name + "temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refused({.dynamic_weight = -1}), name + "dynamic_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refused({.vanilla_weight = -1}), name + "vanilla_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refused({.hard_weight = -1}), name + "hard_weight is -1; it must be finite and >= 0");
}

// The sum of the maxima is no double.
TEST(dynamic_temperature_kd, shares_out_the_largest_numbers) {
  std::vector<double> const z = {1.6e308, 1.6e308, 0}, t = {1.6e308, 8e307, 0};
  std::vector<double> gradient(3);
  auto const found = distil::dynamic_temperature_kd.with_grad(
      matrix_view<double const>(z.data(), 1, 3), matrix_view<double const>(t.data(), 1, 3),
      matrix_view<double>(gradient.data(), 1, 3), {.temperature = 4, .vanilla_weight = 0});
  EXPECT_NEAR(found.dynamic.value, 16 * std::log(2.0), 1e-13);
  EXPECT_NEAR(gradient[0], 3 * 4 * -0.5, 1e-13);
  EXPECT_NEAR(gradient[1], 3 * 4 * 0.5, 1e-13);
  EXPECT_EQ(gradient[2], 0.0);
}

}  // namespace
}  // namespace distil::testing
