#include "distil/response/mean_of_logits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../support/batches.hpp"
#include "../support/engine.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A batch with three teachers and room for their mean, which is computed in `long double`, one element after the other.
struct three_teachers {
  index rows, columns;
  owned_matrix<double> student, first, second, third, mean, gradient, expected;
  std::vector<double> of_third;  ///< weights, one per row

  three_teachers(index the_rows, index the_columns, layout order = layout::row_major)
      : rows(the_rows),
        columns(the_columns),
        student(rows, columns, order),
        first(rows, columns, order),
        second(rows, columns, order),
        third(rows, columns, order),
        mean(rows, columns, layout::row_major),
        gradient(rows, columns, order),
        expected(rows, columns, layout::row_major),
        of_third(static_cast<std::size_t>(rows)) {
    numbers random(static_cast<std::uint64_t>(rows * 1000 + columns));
    for (auto* const each : {&student, &first, &second, &third}) {
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) each->set(r, c, 4.0 * random.next());
      }
    }
    for (double& weight : of_third) weight = 1.0 + random.next();
  }

  void average(double of_first, double of_second) {
    for (index r = 0; r < rows; ++r) {
      double const w = of_third[static_cast<std::size_t>(r)];
      long double const sum = static_cast<long double>(of_first) + of_second + w;
      for (index c = 0; c < columns; ++c) {
        long double total = 0;
        if (of_first > 0) total += of_first * static_cast<long double>(first.at(r, c));
        if (of_second > 0) total += of_second * static_cast<long double>(second.at(r, c));
        if (w > 0) total += w * static_cast<long double>(third.at(r, c));
        mean.set(r, c, static_cast<double>(total / sum));
      }
    }
  }
  [[nodiscard]] auto ensemble(double of_first, double of_second) const {
    return mean_of_logits(first.view(), second.view(), third.view())
        .weighted({of_first, of_second, of_third});
  }

  /// Both calls of a divergence agree to rounding.
  template <class Loss>
  void expect_same(Loss const& loss, double of_first, double of_second, char const* what) {
    average(of_first, of_second);
    std::vector<double> slope(static_cast<std::size_t>(rows)), expected_slope(slope);
    double const value = loss.with_grad(student.view(), ensemble(of_first, of_second), gradient.view(),
                                        {.temperature = 2.5F, .temperature_gradient = slope});
    double const wanted = loss.with_grad(student.view(), mean.view(), expected.view(),
                                         {.temperature = 2.5F, .temperature_gradient = expected_slope});
    EXPECT_NEAR(value, wanted, 1e-12 * std::abs(wanted) + 1e-13) << what;
    EXPECT_EQ(value, double(loss(student.view(), ensemble(of_first, of_second), {.temperature = 2.5F})))
        << what;
    for (index r = 0; r < rows; ++r) {
      auto const at = static_cast<std::size_t>(r);
      EXPECT_NEAR(slope[at], expected_slope[at], 1e-11) << what << ", row " << r;
      for (index c = 0; c < columns; ++c) {
        ASSERT_NEAR(gradient.at(r, c), expected.at(r, c), 1e-13) << what << " at " << r << ", " << c;
      }
    }
    EXPECT_EQ(gradient.damaged_guards(), 0) << what;
  }
};

TEST(mean_of_logits, is_the_mean_in_every_shape_and_layout) {
  for (auto const order : {layout::row_major, layout::padded, layout::class_major, layout::every_other}) {
    for (auto const& [rows, columns] : std::vector<std::array<index, 2>>{
             {1, 1}, {1, 2}, {3, 7}, {5, 33}, {17, 10}, {40, 4}, {2, 1000}, {1, 9001}}) {
      three_teachers b(rows, columns, order);
      b.expect_same(forward_kl, 0.7, 0.2, name_of(order));
    }
  }
}

TEST(mean_of_logits, is_a_teacher_of_other_divergences) {
  three_teachers b(6, 21);
  b.expect_same(soft_cross_entropy, 1.0, 3.0, "soft cross entropy");
  b.expect_same(jensen_shannon, 1.0, 3.0, "Jensen-Shannon");
}

TEST(mean_of_logits, of_equal_weights_and_of_16_bits) {
  std::vector<bfloat16> const first{bfloat16(1.0F), bfloat16(2.0F), bfloat16(-1.0F)},
      second{bfloat16(3.0F), bfloat16(0.0F), bfloat16(-1.0F)};
  std::vector<float> const student{0.5F, 0.0F, 1.0F}, mean{2.0F, 1.0F, -1.0F};
  std::array const views{matrix_view<bfloat16 const>(first, 1, 3), matrix_view<bfloat16 const>(second, 1, 3)};
  double const wanted = forward_kl(matrix_view(student, 1, 3), matrix_view(mean, 1, 3));
  EXPECT_EQ(double(forward_kl(matrix_view(student, 1, 3), mean_of_logits(views[0], views[1]))), wanted);
  EXPECT_EQ(double(forward_kl(matrix_view(student, 1, 3), mean_of_logits(std::span(views)))), wanted);
}

TEST(mean_of_logits, leaves_out_a_teacher_without_weight_whatever_it_holds) {
  three_teachers b(4, 9);
  for (index c = 0; c < b.columns; ++c) {
    b.first.set(2, c, nan);
    b.third.set(1, c, nan);
  }
  b.of_third[1] = 0.0;
  b.expect_same(forward_kl, 0.0, 0.5, "weights 0");
}

TEST(mean_of_logits, masks_what_a_teacher_masks) {
  three_teachers b(4, 9);
  b.second.set(0, 0, minus_infinity);
  b.third.set(0, 4, minus_infinity);
  b.student.set(0, 0, minus_infinity);
  b.student.set(0, 4, minus_infinity);
  b.expect_same(forward_kl, 0.4, 0.5, "masked classes");

  for (index c = 0; c < b.columns; ++c) (c % 2 == 0 ? b.first : b.second).set(3, c, minus_infinity);
  loss_value const whole = forward_kl.with_grad(b.student.view(), b.ensemble(0.4, 0.5), b.gradient.view());
  EXPECT_EQ(whole.weight, 3.0);
  for (index c = 0; c < b.columns; ++c) EXPECT_EQ(b.gradient.at(3, c), 0.0);
}

TEST(mean_of_logits, keeps_nan_in_its_row) {
  three_teachers b(4, 9);
  b.second.set(2, 3, nan);
  std::vector<double> values(4);
  forward_kl.with_grad(b.student.view(), b.ensemble(0.4, 0.5), b.gradient.view(),
                       {.rows = {.values = values}});
  for (std::size_t r = 0; r < 4; ++r) EXPECT_EQ(std::isnan(values[r]), r == 2);
  EXPECT_FALSE(std::isnan(b.gradient.at(1, 0)) || std::isnan(b.gradient.at(3, 0)));
}

TEST(mean_of_logits, does_not_count_a_row_without_a_teacher) {
  three_teachers b(4, 9);
  b.of_third[2] = 0.0;
  loss_value const value = forward_kl.with_grad(b.student.view(), b.ensemble(0.0, 0.0), b.gradient.view());
  EXPECT_EQ(value.weight, 3.0);
  EXPECT_TRUE(std::isfinite(double(value)));
  for (index c = 0; c < b.columns; ++c) EXPECT_EQ(b.gradient.at(2, c), 0.0);
}

TEST(mean_of_logits, is_a_term_of_fuse) {
  three_teachers b(5, 12);
  b.average(1.0, 2.0);
  std::vector<int> const labels{0, 3, 11, 5, 5};
  auto const with = [&](auto const& teacher, auto& gradient) {
    return fuse(0.4 * cross_entropy.term(labels), 0.6 * forward_kl.term(teacher, {.temperature = 4.0F}))
        .with_grad(b.student.view(), gradient.view());
  };
  EXPECT_NEAR(double(with(b.ensemble(1.0, 2.0), b.gradient)), double(with(b.mean.view(), b.expected)), 1e-13);
  for (index c = 0; c < b.columns; ++c) EXPECT_NEAR(b.gradient.at(4, c), b.expected.at(4, c), 1e-14);
}

/// What the page says of the other mean: terms of cross entropy are one with the mean of probabilities.
TEST(mean_of_logits, the_mean_of_probabilities_is_a_sum_of_terms) {
  three_teachers b(3, 6);
  constexpr double temperature = 2.0;
  for (index r = 0; r < b.rows; ++r) {
    std::array<double, 2> sums{};
    for (index c = 0; c < b.columns; ++c) {
      sums[0] += std::exp(b.first.at(r, c) / temperature);
      sums[1] += std::exp(b.second.at(r, c) / temperature);
    }
    for (index c = 0; c < b.columns; ++c) {
      b.mean.set(r, c,
                 0.3 * std::exp(b.first.at(r, c) / temperature) / sums[0] +
                     0.7 * std::exp(b.second.at(r, c) / temperature) / sums[1]);
    }
  }
  divergence_options const options{.temperature = temperature};
  double const wanted = soft_cross_entropy.with_grad(b.student.view(), probabilities(b.mean.view()),
                                                     b.expected.view(), options);
  double const value = fuse(0.3 * soft_cross_entropy.term(b.first.view(), options),
                            0.7 * soft_cross_entropy.term(b.second.view(), options))
                           .with_grad(b.student.view(), b.gradient.view());
  EXPECT_NEAR(value, wanted, 1e-12);
  for (index c = 0; c < b.columns; ++c) EXPECT_NEAR(b.gradient.at(2, c), b.expected.at(2, c), 1e-14);
}

TEST(mean_of_logits, refuses_what_does_not_fit) {
  three_teachers b(4, 9);
  owned_matrix<double> const other(4, 8, layout::row_major);
  EXPECT_EQ(
      refusal_of([&] { (void)forward_kl(b.student.view(), mean_of_logits(b.first.view(), other.view())); }),
      "distil::forward_kl: teacher is 4 x 8; it must be 4 x 9, the shape of the student");
  EXPECT_EQ(refusal_of([&] { (void)mean_of_logits(b.first.view(), b.second.view()).weighted({1}); }),
            "distil::mean_of_logits: number of weights is 1; it must be 2, as there are teachers");
  std::vector<double> const three{1, 1, 1};
  EXPECT_NE(refusal_of([&] {
              (void)forward_kl(b.student.view(),
                               mean_of_logits(b.first.view(), b.second.view()).weighted({1, three}));
            }).find("weight of a teacher"),
            std::string::npos);
  EXPECT_EQ(
      refusal_of([&] {
        (void)forward_kl(b.student.view(), mean_of_logits(b.first.view(), b.second.view()).weighted({1, -1}));
      }),
      "distil::forward_kl: weight of a teacher is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)mean_of_logits(std::span<matrix_view<float const> const>()); }),
            "distil::mean_of_logits: number of teachers is 0; it must be within [1, 8]");
  EXPECT_NE(refusal_of([&] {
              forward_kl.with_grad(b.student.view(), mean_of_logits(b.first.view(), b.second.view()),
                                   b.second.view());
            }).find("teacher"),
            std::string::npos);
}

}  // namespace
}  // namespace distil::testing
