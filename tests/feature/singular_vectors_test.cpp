#include "distil/feature/singular_vectors.hpp"

#include "../support/cases/singular_vectors.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<singular_vectors_case> const suites("singular_vectors");

TEST(singular_vectors, does_not_see_the_order_of_positions_nor_scale) {
  pair_batch<double> b({{4, 3, 1, 6}, {4, 3, 2, 3}});
  b.teacher.fill(
      [&](index n, index c, index y, index x) { return -3 * b.student.at(n, c, 0, 5 - (3 * y + x)); });
  for (auto const& s : singular_vectors_case::settings()) {
    EXPECT_NEAR(singular_vectors_case::with_grad(serial, b, b.gradient, s, false), 0.0, 1e-20) << s.label;
    for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
      EXPECT_NEAR(b.gradient.at(n, c, y, x), 0.0, 1e-10) << s.label;
    });
  }
}

TEST(singular_vectors, stays_finite_where_singular_values_meet) {
  pair_batch<double> b({{4, 3, 1, 3}, {4, 3, 1, 3}});
  double const nearness[] = {0, 1e-15, 1e-9, 1e-5};
  for (double const apart : nearness) {  // nearly the identity
    b.student.fill(
        [&](index, index c, index, index x) { return c == x ? 1.0 + apart * static_cast<double>(c) : 0.0; });
    double const bound = 100 / singular_vectors_options{}.regularization;
    EXPECT_TRUE(
        std::isfinite(singular_vectors_case::with_grad(serial, b, b.gradient, {"", {.vectors = 2}}, false)));
    for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
      ASSERT_LE(std::abs(b.gradient.at(n, c, y, x)), bound) << apart;
    });
  }
}

TEST(singular_vectors, takes_more_vectors_than_there_are) {
  pair_batch<double> b({{4, 3, 2, 2}, {4, 3, 1, 2}});
  auto const with = [&](index vectors) {
    return singular_vectors_case::value(serial, b, {"", {.vectors = vectors, .more_candidates = vectors}})
        .value;
  };
  EXPECT_EQ(with(3), with(index{1} << 60));
}

TEST(singular_vectors, weighs_samples) {
  std::vector<float> const weights = {0.5F, 0.0F, 2.0F};
  singular_vectors_case::setting const s = {"", {.vectors = 2, .regularization = 1e-9, .weights = weights}};
  pair_batch<double> b({{6, 3, 2, 2}, {6, 3, 1, 3}});
  expect_pair<singular_vectors_case>(b, s, "samples weighed");
  b.student.set(1, 0, 0, 0, std::nan(""));
  loss_value const found = singular_vectors_case::with_grad(serial, b, b.gradient, s, false);
  EXPECT_TRUE(std::isfinite(found.value));
  EXPECT_EQ(found.weight, 2.5);
  EXPECT_EQ(b.gradient.at(4, 0, 0, 0), 0.0);
}

TEST(singular_vectors, refuses) {
  pair_batch<float> b({{4, 3, 2, 2}, {4, 3, 2, 2}});
  auto const with = [&](singular_vectors_options const& options) {
    return refusal_of([&] { (void)singular_vectors_case::value(serial, b, {"", options}); });
  };
  EXPECT_EQ(with({.vectors = 0}), "distil::singular_vectors: vectors is 0; it must be >= 1");
  EXPECT_EQ(with({.more_candidates = -1}),
            "distil::singular_vectors: more_candidates is -1; it must be >= 0");
  EXPECT_EQ(with({.regularization = 0}),
            "distil::singular_vectors: regularization is 0; it must be finite and > 0");
}

}  // namespace
}  // namespace distil::testing
