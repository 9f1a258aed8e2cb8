#include "distil/response/skew_reverse_kl.hpp"

#include "../support/cases/skew_reverse_kl.hpp"
#include "../support/divergence_laws.hpp"
#include "distil/response/reverse_kl.hpp"

namespace distil::testing {
namespace {

row_suites<skew_reverse_kl_case> const suites("skew_reverse_kl");

TEST(skew_reverse_kl, obeys_the_laws) {
  expect_slope_of_temperature<skew_reverse_kl_case>();
  expect_teacher_temperature<skew_reverse_kl_case>(skew_reverse_kl);
  expect_accurate_near_zero<skew_reverse_kl_case>();
}

TEST(skew_reverse_kl, is_reverse_kl_without_skew) {
  expect_same(calling(skew_reverse_kl, {.skew = 0}), calling(reverse_kl), 1e-14);
  expect_same(calling(skew_reverse_kl, {.skew = 0, .detach_mixture = true}), calling(reverse_kl), 1e-14);
  expect_same(calling(skew_reverse_kl, {.skew = 1e-12}), calling(reverse_kl), 1e-8);
}

TEST(skew_reverse_kl, can_hold_the_mixture_constant) {
  batch<double> b(3, 20);
  std::vector<double> slope(1);
  double const value = skew_reverse_kl.with_grad(
      b.student.view(), b.teacher.view(), b.gradient.view(),
      {.temperature = 2, .skew = 0.3, .detach_mixture = true, .temperature_gradient = slope});
  EXPECT_NEAR(value, skew_reverse_kl(b.student.view(), b.teacher.view(), {.temperature = 2, .skew = 0.3}),
              1e-14);
  double expected_slope = 0;
  for (index r = 0; r < 3; ++r) {
    auto const z = b.student.row<long double>(r);
    auto const p = reference::softmax(b.teacher.row<long double>(r), 2), q = reference::softmax(z, 2);
    exact_row mixture;
    for (std::size_t c = 0; c < z.size(); ++c) mixture.push_back(0.7L * p[c] + 0.3L * q[c]);
    auto const held = [&](exact_row const& moved, long double T) {
      return T * T *
             reference::reverse_kl(reference::from_probabilities(mixture), reference::from_logits(moved, T))
                 .value;
    };
    auto const gradient = reference::gradient([&](exact_row const& moved) { return held(moved, 2); }, z);
    for (index c = 0; c < 20; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(gradient[static_cast<std::size_t>(c)]) / 3, 1e-11);
    }
    expected_slope +=
        static_cast<double>(reference::temperature_derivative([&](long double T) { return held(z, T); }, 2)) /
        3;
  }
  EXPECT_NEAR(slope[0], expected_slope, 1e-9);
}

TEST(skew_reverse_kl, refuses_what_is_out_of_range_and_to_be_nothing) {
  for (auto const& [skew, text] : {std::pair{-1.0, "-1"}, {1.0, "1"}}) {
    EXPECT_EQ(refusal_of(skew_reverse_kl, {.skew = skew}),
              "distil::skew_reverse_kl: skew is " + std::string(text) +
                  "; it must be within [0, 1), the loss is 0 at 1: for KL(teacher || student) use "
                  "forward_kl, for KL(student || teacher) reverse_kl");
  }
}

}  // namespace
}  // namespace distil::testing
