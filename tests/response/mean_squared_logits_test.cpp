#include "distil/response/mean_squared_logits.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/mean_squared_logits.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<mean_squared_logits_case> const suites_of_mean_squared_logits("mean_squared_logits");
row_suites<relative_squared_logits_case> const suites_of_relative_mean_squared_logits(
    "relative_mean_squared_logits", {response_suite(), row_laws()});

TEST(mean_squared_logits, centred_does_not_see_a_constant) {
  batch<double> b(3, 50);
  for (bool const relative : {false, true}) {
    mean_squared_logits_options const options{.centred = true, .relative = relative};
    auto const z = b.student.view();
    double const value = mean_squared_logits.with_grad(z, b.teacher.view(), b.gradient.view(), options);
    std::vector<double> const before = b.gradient.row(1);
    double sum = 0;
    for (double const entry : before) sum += entry;
    EXPECT_NEAR(sum, 0.0, 1e-14);
    for (index c = 0; c < 50; ++c) {
      b.student.set(1, c, b.student.at(1, c) + 100);
      b.teacher.set(1, c, b.teacher.at(1, c) - 7);
    }
    EXPECT_NEAR(mean_squared_logits.with_grad(z, b.teacher.view(), b.gradient.view(), options), value, 1e-11);
    for (index c = 0; c < 50; ++c) {
      EXPECT_NEAR(b.gradient.at(1, c), before[static_cast<std::size_t>(c)], 1e-12);
    }
  }
}

/// Numbers whose squares or sums leave the range of float: means and ratios do not.
TEST(mean_squared_logits, keeps_means_and_ratios_in_range) {
  constexpr double lowest = std::numeric_limits<float>::lowest();
  constexpr index rows = 5, classes = 6;
  double const padding[rows][2] = {
      {1, lowest}, {lowest, lowest / 2}, {1e20, 2e20}, {-1e35, 3e34}, {lowest, lowest}};
  batch<float> b(rows, classes);
  for (index r = 0; r < rows; ++r) {
    for (index c = 3; c < classes; ++c)
      b.student.set(r, c, padding[r][0]), b.teacher.set(r, c, padding[r][1]);
  }
  std::vector<double> values(rows);
  for (bool const centred : {false, true}) {
    mean_squared_logits.with_grad(
        b.student.view(), b.teacher.view(), b.gradient.view(),
        {.centred = centred, .relative = true, .rows = {.reduce = reduction::sum, .values = values}});
    for (index r = 0; r < rows; ++r) {
      auto const wanted =
          mean_squared_logits_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), 0,
                                       {1, over_classes::mean, centred, true});
      double const value = static_cast<double>(wanted.value);
      EXPECT_NEAR(values[static_cast<std::size_t>(r)], value, 1e-6 * value + 1e-37) << r;
      long double largest = 0;
      for (long double const each : wanted.gradient) largest = std::max(largest, std::abs(each));
      for (index c = 0; c < classes; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(wanted.gradient[static_cast<std::size_t>(c)]),
                    3e-6 * static_cast<double>(largest) + 1e-43)
            << r << ", " << c;
      }
    }
  }
  for (index c = 0; c < classes; ++c) b.student.set(0, c, lowest), b.teacher.set(0, c, 0);
  mean_squared_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                {.centred = true, .rows = {.values = values}});
  EXPECT_EQ(values[0], 0.0);
  for (index c = 0; c < classes; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(mean_squared_logits, of_a_teacher_without_size_and_of_strangers_is_nothing) {
  batch<float> b(2, 4);
  for (index c = 0; c < 4; ++c) {
    b.teacher.set(0, c, 0.0);
    (c < 2 ? b.student : b.teacher).set(1, c, minus_infinity);
  }
  EXPECT_EQ(mean_squared_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                          {.relative = true}),
            0.0);
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 4; ++c) EXPECT_EQ(b.gradient.at(r, c), 0.0);
  }
}

/// A quotient by infinity is 0, which would be a loss of nothing.
TEST(mean_squared_logits, relative_of_an_infinite_logit_is_nan) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (bool const centred : {false, true}) {
    for (bool const of_teacher : {false, true}) {
      batch<float> b(3, 6);
      (of_teacher ? b.teacher : b.student).set(1, 4, infinity);
      std::vector<double> values(3);
      mean_squared_logits.with_grad(
          b.student.view(), b.teacher.view(), b.gradient.view(),
          {.centred = centred, .relative = true, .rows = {.reduce = reduction::sum, .values = values}});
      for (index r = 0; r < 3; ++r) {
        EXPECT_EQ(std::isnan(values[static_cast<std::size_t>(r)]), r == 1) << centred << of_teacher;
        EXPECT_EQ(std::isnan(b.gradient.at(r, 0)), r == 1) << centred << of_teacher;
      }
    }
  }
}

// Beside a term with exponentials the engine centres the logits by their maximum.
TEST(mean_squared_logits, fuses) {
  for (index const columns : {5, 300}) {
    batch<double> b(4, columns);
    auto const z = b.student.view();
    mean_squared_logits_options const options{.temperature = 2, .centred = true};
    auto const sum =
        fuse(0.5 * mean_squared_logits.term(b.teacher.view(), options), forward_kl.term(b.teacher.view()));
    double const expected =
        0.5 * mean_squared_logits(z, b.teacher.view(), options) + forward_kl(z, b.teacher.view());
    EXPECT_NEAR(sum.with_grad(z, b.gradient.view()), expected, 1e-12);
    batch<double> parts(4, columns);
    mean_squared_logits.with_grad(z, b.teacher.view(), parts.gradient.view(), options);
    batch<double> kl(4, columns);
    forward_kl.with_grad(z, b.teacher.view(), kl.gradient.view());
    for (index c = 0; c < columns; ++c) {
      EXPECT_NEAR(b.gradient.at(2, c), 0.5 * parts.gradient.at(2, c) + kl.gradient.at(2, c), 1e-13);
    }
  }
}

}  // namespace
}  // namespace distil::testing
