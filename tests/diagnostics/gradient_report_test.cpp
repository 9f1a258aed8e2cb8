#include "distil/diagnostics/gradient_report.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

TEST(gradient_report, says_who_leads_and_who_works_against) {
  std::vector<double> const hard{3, 0, /**/ 0, 4}, soft{-1, 0, /**/ 0, 2};
  gradient_summary seen(2);
  seen.add(std::array{number_matrix(matrix_view(hard, 2, 2)), number_matrix(matrix_view(soft, 2, 2))});
  gradient_report const found = seen.result();
  EXPECT_EQ(found.batches, 1.0);
  EXPECT_EQ(found.terms[0].norm, 5.0);
  EXPECT_NEAR(found.terms[1].norm, std::sqrt(5.0), 1e-15);
  EXPECT_NEAR(found.terms[0].share, 5 / (5 + std::sqrt(5.0)), 1e-15);
  EXPECT_NEAR(found.cosine(0, 1), (-3 + 8) / (5 * std::sqrt(5.0)), 1e-15);
  EXPECT_NEAR(found.cosine(1, 1), 1.0, 1e-15);
  EXPECT_EQ(found.conflicting_rows, 0.5);
  // The sum is (2, 0, 0, 6): 6 + 24 and -2 + 12 of 40.
  EXPECT_EQ(found.terms[0].along, 30.0 / 40);
  EXPECT_EQ(found.terms[1].along, 10.0 / 40);
}

TEST(gradient_report, is_the_mean_over_batches_that_are_numbers) {
  std::vector<float> const a{1, 0}, b{0, 1}, c{-1, 0}, bad{std::nanf(""), 0};
  gradient_summary seen(2);
  auto const batch = [](std::vector<float> const& one, std::vector<float> const& other) {
    return std::array{number_matrix(matrix_view(one, 1, 2)), number_matrix(matrix_view(other, 1, 2))};
  };
  seen.add(batch(a, b));
  seen.add(batch(a, c));
  seen.add(batch(a, bad));
  gradient_report const found = seen.result();
  EXPECT_EQ(found.batches, 2.0);
  EXPECT_EQ(found.cosine(0, 1), -0.5);
  EXPECT_EQ(found.conflicting_rows, 0.5);
  EXPECT_EQ(found.terms[0].along, 0.25);  // half of the first sum; the second is 0
  EXPECT_EQ(gradient_summary(3).result().terms[2].norm, 0.0);
}

TEST(gradient_report, refuses) {
  std::vector<float> const a{1, 0};
  gradient_summary seen(2);
  EXPECT_EQ(refusal_of([&] { seen.add(std::array{number_matrix(matrix_view(a, 1, 2))}); }),
            "distil::gradient_summary: number of gradients is 1; it must be 2, as there are terms");
  EXPECT_EQ(refusal_of([&] {
              seen.add(std::array{number_matrix(matrix_view(a, 1, 2)), number_matrix(matrix_view(a, 2, 1))});
            }),
            "distil::gradient_summary: gradient is 2 x 1; it must be 1 x 2, the shape of the first");
}

}  // namespace
}  // namespace distil
