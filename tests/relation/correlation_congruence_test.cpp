#include "distil/relation/correlation_congruence.hpp"

#include "../support/cases/correlation_congruence.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<correlation_congruence_case> const suites("correlation_congruence");

correlation_congruence_options const successive{.kernel = correlation_kernel_form::successive};

TEST(correlation_congruence, of_successive_samples_is_the_authors_formula) {
  for (index const rows : {1, 2, 5, 700}) {
    pair_batch<double> b({{rows, 19, 1, 1}, {rows, 19, 1, 1}});
    b.teacher.set(0, 3, b.student.at(0, 3));  // a difference without a sign
    auto const difference = [&](index i, index c) { return b.student.at(i, c) - b.teacher.at(i, c); };
    auto const size = [&](index i, index c) { return i < 0 || i == rows ? 0.0 : std::abs(difference(i, c)); };
    double const pairs = static_cast<double>(std::max<index>(1, rows - 1));
    double value = 0;
    for (index i = 0; i < rows; ++i) {
      for (index c = 0; c < 19; ++c) value += size(i, c) * size(i + 1, c) / pairs;
    }
    double const found = correlation_congruence.with_grad(b.student.matrix(), b.teacher.matrix(),
                                                          b.gradient.matrix(), successive);
    EXPECT_NEAR(found, value, 1e-13 * (1 + value)) << rows;
    EXPECT_EQ(correlation_congruence(b.student.matrix(), b.teacher.matrix(), successive).value, found);
    for_each_element(b.gradient.shape(), [&](index i, index c, index, index) {
      double const d = difference(i, c), sign = d > 0 ? 1 : d < 0 ? -1 : 0;
      double const slope = rows > 1 ? sign * (size(i - 1, c) + size(i + 1, c)) / pairs : 0.0;
      EXPECT_NEAR(b.gradient.at(i, c), slope, 1e-14) << i << ", " << c;
    });
    auto const threaded = b.gradient.exact();
    EXPECT_EQ(
        correlation_congruence
            .with_grad(parallel, b.student.matrix(), b.teacher.matrix(), b.gradient.matrix(), successive)
            .value,
        found);
    EXPECT_EQ(b.gradient.exact().values, threaded.values);
  }
}

TEST(correlation_congruence, of_successive_samples_is_nan_with_a_nan) {
  for (index const rows : {1, 4}) {
    pair_batch<float> b({{rows, 3, 1, 1}, {rows, 3, 1, 1}});
    b.student.set(rows - 1, 1, std::nan(""));
    EXPECT_TRUE(std::isnan(correlation_congruence(b.student.matrix(), b.teacher.matrix(), successive).value));
  }
}

TEST(correlation_congruence, of_successive_samples_needs_equal_widths) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 4, 1, 1}});
  EXPECT_NE(
      refusal_of([&] { (void)correlation_congruence(b.student.matrix(), b.teacher.matrix(), successive); }),
      "");
}

TEST(correlation_congruence, approaches_the_gaussian_kernel_with_its_order) {
  std::vector<double> const student{1, 0, 0.6, 0.8}, teacher{1, 0, 1, 0};
  double const gaussian = std::exp(-0.4 * ((1 - 0.6) * (1 - 0.6) + 0.8 * 0.8));
  double const value = correlation_congruence(matrix_view<double const>(student.data(), 2, 2),
                                              matrix_view<double const>(teacher.data(), 2, 2), {.order = 8});
  EXPECT_NEAR(value, 2 * (1 - gaussian) * (1 - gaussian) / 4, 1e-6);
}

TEST(correlation_congruence, refuses_options_out_of_range) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 2, 1, 1}});
  auto const refusal = [&](correlation_congruence_options const& options) {
    return refusal_of([&] { (void)correlation_congruence(b.student.matrix(), b.teacher.matrix(), options); });
  };
  EXPECT_EQ(refusal({.gamma = 0}), "distil::correlation_congruence: gamma is 0; it must be finite and > 0");
  EXPECT_EQ(refusal({.order = 9}), "distil::correlation_congruence: order is 9; it must be within [1, 8]");
}

}  // namespace
}  // namespace distil::testing
