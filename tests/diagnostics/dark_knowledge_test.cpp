#include "distil/diagnostics/dark_knowledge.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

std::vector<double> logarithms(std::vector<double> numbers) {
  for (double& x : numbers) x = std::log(x);
  return numbers;
}

TEST(dark_knowledge, is_the_mean_distribution_of_each_class) {
  std::vector<double> const t = logarithms({0.7, 0.2, 0.1, /**/ 0.5, 0.4, 0.1, /**/ 0.1, 0.1, 0.8});
  dark_knowledge seen(3);
  seen.add(matrix_view(t, 2, 3), {0, 0});
  seen.add(matrix_view(&t[6], 1, 3), {2});
  dark_knowledge_matrix const found = seen.result();
  EXPECT_EQ(found.rows(0), 2.0);
  EXPECT_EQ(found.rows(1), 0.0);
  EXPECT_NEAR(found.mean(0, 1), 0.3, 1e-15);
  EXPECT_NEAR(found.share(0, 1), 0.3 / 0.4, 1e-14);
  EXPECT_EQ(found.share(0, 0), 0.0);
  EXPECT_EQ(found.share(1, 0), 0.0);
  auto const pairs = found.most_similar(2);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].of, 0);
  EXPECT_EQ(pairs[0].to, 1);
  EXPECT_EQ(pairs[1].of, 2);
  EXPECT_EQ(found.most_similar(100).size(), 4U);
  EXPECT_EQ(found.csv().substr(0, 17), "class,rows,0,1,2\n");
}

TEST(dark_knowledge, goes_by_the_teachers_choice_and_softens) {
  std::vector<double> const t = logarithms({0.25, 0.75, /**/ 0.75, 0.25, /**/ 0.75, 0.25});
  dark_knowledge seen(2, {.temperature = 2});
  seen.add(matrix_view(t, 3, 2));
  EXPECT_EQ(seen.result().rows(0), 2.0);
  EXPECT_NEAR(seen.result().mean(1, 0), std::sqrt(0.25) / (std::sqrt(0.25) + std::sqrt(0.75)), 1e-15);
}

TEST(dark_knowledge, leaves_out_and_refuses) {
  std::vector<double> const t{1, 2, /**/ std::nan(""), 1, /**/ 0, 1};
  dark_knowledge seen(2);
  seen.add(matrix_view(t, 3, 2), {0, 0, -100});
  EXPECT_EQ(seen.result().rows(0), 1.0);
  EXPECT_EQ(refusal_of([&] { seen.add(matrix_view(t, 2, 3)); }),
            "distil::dark_knowledge: teacher is 2 x 3; it must be rows x 2");
  EXPECT_EQ(
      refusal_of([&] {
        seen.add(matrix_view(t, 3, 2), {0, 2, 0});
      }),
      "distil::dark_knowledge: label is 2 in row 1; it must be within [0, 2) or the ignored label -100");
}

}  // namespace
}  // namespace distil
