#include "distil/response/fuse.hpp"

#include "../support/allocations.hpp"
#include "../support/expectations.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

TEST(fuse, is_the_sum_of_its_parts) {
  for (layout const order : {layout::padded, layout::class_major}) {
    for (index const columns : {7, 130, 2500}) {
      batch<float> b(20, columns, 4.0, order);
      batch<double> second(20, columns, 4.0, order, 5);
      std::vector<float> const weights(20, 0.25F);
      b.labels[3] = -100;
      cross_entropy_options const hard{.label_smoothing = 0.1};
      divergence_options const soft{.temperature = 4, .rows = {.weights = weights}};
      divergence_options const other{.temperature = 2, .rows = {.reduce = reduction::sum}};
      logits_options const bonus{.temperature = 1.5};

      auto const objective = fuse(0.3 * distil::cross_entropy.term(b.labels, hard),
                                  distil::forward_kl.term(b.teacher.view(), soft) * 0.5,
                                  0.2 * (0.1 * distil::soft_cross_entropy.term(second.teacher.view(), other)),
                                  -0.05 * distil::entropy.term(bonus));
      std::vector<double> values(20);
      auto const found = objective.with_grad(b.student.view(), b.gradient.view(), {.values = values});
      expect_no_allocation(
          "gradient", [&] { objective.with_grad(b.student.view(), b.gradient.view(), {.values = values}); });
      expect_no_allocation("value", [&] { (void)objective(b.student.view()); });

      owned_matrix<double> sum(20, columns, layout::row_major);
      owned_matrix<double> part(20, columns, layout::row_major);
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < columns; ++c) sum.set(r, c, 0);
      }
      auto const add = [&](double coefficient, loss_value value, loss_value term) {
        EXPECT_NEAR(term.value, value.value, 1e-5 * (1 + std::abs(value.value)));
        EXPECT_EQ(term.weight, value.weight);
        for (index r = 0; r < 20; ++r) {
          for (index c = 0; c < columns; ++c) sum.set(r, c, sum.at(r, c) + coefficient * part.at(r, c));
        }
        return coefficient * value.value;
      };
      auto const z = b.student.view();
      double total = 0;
      total += add(0.3, distil::cross_entropy.with_grad(z, b.labels, part.view(), hard), found.terms[0]);
      total += add(0.5, distil::forward_kl.with_grad(z, b.teacher.view(), part.view(), soft), found.terms[1]);
      total += add(0.02, distil::soft_cross_entropy.with_grad(z, second.teacher.view(), part.view(), other),
                   found.terms[2]);
      total += add(-0.05, distil::entropy.with_grad(z, part.view(), bonus), found.terms[3]);
      EXPECT_NEAR(found.value, total, 1e-5 * (1 + std::abs(total)));
      EXPECT_NEAR(objective(z).value, found.value, 1e-5 * (1 + std::abs(total)));
      EXPECT_EQ(found.weight, 20.0);
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < columns; ++c)
          ASSERT_NEAR(b.gradient.at(r, c), sum.at(r, c), 2e-6) << r << ", " << c;
      }
      double kept = 0;
      for (double const value : values) kept += value;
      EXPECT_NE(kept, 0.0);
    }
  }
}

TEST(fuse, adds_to_the_gradient_and_names_itself) {
  batch<float> b(3, 5);
  auto const objective = fuse(2.0 * distil::cross_entropy.term(b.labels));
  objective.with_grad(b.student.view(), b.gradient.view());
  std::vector<double> const before = b.gradient.row(1);
  objective.with_grad(parallel, b.student.view(), b.gradient.view(), {.accumulate = true});
  for (index c = 0; c < 5; ++c) {
    EXPECT_NEAR(b.gradient.at(1, c), 2 * before[static_cast<std::size_t>(c)], 1e-6);
  }
  b.labels[2] = 5;
  try {
    (void)objective(b.student.view());
    FAIL();
  } catch (std::invalid_argument const& refusal) {
    EXPECT_STREQ(refusal.what(),
                 "distil::fuse: label is 5 in row 2; it must be within [0, 5) or the ignored label -100");
  }
}

TEST(fuse, adds_only_what_the_rows_of_each_term_allow) {
  batch<double> b(4, 6);
  b.labels = {1, -100, 2, -100};
  auto const found = fuse(distil::cross_entropy.term(b.labels), distil::forward_kl.term(b.teacher.view()))
                         .with_grad(b.student.view(), b.gradient.view());
  EXPECT_EQ(found.terms[0].weight, 2.0);
  EXPECT_EQ(found.terms[1].weight, 4.0);
  EXPECT_EQ(found.weight, 4.0);
  auto const q = reference::softmax(b.student.row(1));
  auto const p = reference::softmax(b.teacher.row(1));
  for (std::size_t c = 0; c < 6; ++c) {
    EXPECT_NEAR(b.gradient.at(1, static_cast<index>(c)), (q[c] - p[c]) / 4, 1e-15);
  }
}

/// Terms that look at the logits again must not see what others have written over them.
TEST(fuse, writes_over_the_student) {
  for (layout const order : {layout::row_major, layout::class_major}) {
    for (index const columns : {7, 130, 2500, 2 * static_cast<int>(simd::least_part_columns) + 3}) {
      index const rows = columns > 2500 ? 2 : 20;
      batch<float> b(rows, columns, 4.0, order);
      auto const objective = fuse(distil::cross_entropy.term(b.labels, {.label_smoothing = 0.1}),
                                  distil::entropy.term({.temperature = 1.5}),
                                  distil::forward_kl.term(b.teacher.view(), {.temperature = 4}));
      auto const apart = objective.with_grad(b.student.view(), b.gradient.view());
      auto const over = objective.with_grad(b.student.view(), b.student.view());
      EXPECT_EQ(apart.value, over.value);
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c)
          ASSERT_EQ(b.student.at(r, c), b.gradient.at(r, c)) << r << ", " << c;
      }
    }
  }
}

/// Whether exponentials are shared, and in which order terms are added, must not hang on the rows beside a row in a tile.
TEST(fuse, gives_a_row_the_same_bits_whatever_stands_beside_it) {
  constexpr index rows = 40, watched = 5;
  for (index const columns : {7, 40, 100, 300}) {
    std::vector<double> usual(rows, 4.0), mixed(rows, 4.0), values(rows);
    for (std::size_t r = 0; r < mixed.size(); ++r) {
      if (r != static_cast<std::size_t>(watched)) mixed[r] = 1.0 + 0.5 * static_cast<double>(r % 7);
    }
    auto const row_of = [&](std::vector<double> const& temperatures, bool ignores) {
      batch<float> b(rows, columns);
      for (index r = 0; r < rows && ignores; r += 3) {
        if (r != watched) b.labels[static_cast<std::size_t>(r)] = -100;
      }
      row_options const sum{.reduce = reduction::sum};
      auto const objective =
          fuse(0.3 * distil::cross_entropy.term(b.labels, {.rows = sum}),
               0.5 * distil::forward_kl.term(b.teacher.view(), {.temperature = temperatures, .rows = sum}),
               0.2 * distil::soft_cross_entropy.term(b.teacher.view(), {.temperature = 2, .rows = sum}));
      objective.with_grad(b.student.view(), b.gradient.view(), {.values = values});
      auto row = b.gradient.row(watched);
      row.push_back(values[static_cast<std::size_t>(watched)]);
      return row;
    };
    auto const expected = row_of(usual, false);
    EXPECT_EQ(row_of(mixed, false), expected) << columns;
    EXPECT_EQ(row_of(usual, true), expected) << columns;
    EXPECT_EQ(row_of(mixed, true), expected) << columns;
  }
}

}  // namespace
}  // namespace distil::testing
