#include "distil/response/entropic_transport.hpp"

#include "../support/cases/entropic_transport.hpp"
#include "../support/expectations.hpp"
#include "../support/finite_difference.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

/// Value and gradient of costs in [0, 2] against the reference.
template <class T>
void expect_transport(index rows, index columns, layout order, double epsilon, int iterations) {
  batch<T> b(rows, columns, 1.0, order);
  for (index i = 0; i < rows; ++i) {
    for (index j = 0; j < columns; ++j) b.student.set(i, j, 1 + b.student.at(i, j));
  }
  std::vector<float> row_masses;
  std::vector<double> column_masses;
  for (index i = 0; i < rows; ++i) row_masses.push_back(i == 2 ? 0.0F : 1.0F + static_cast<float>(i % 3));
  for (index j = 0; j < columns; ++j)
    column_masses.push_back(j == 4 ? 0.0 : 0.5 + static_cast<double>(j % 4));
  auto const exact = entropic_transport_case::of(b.student, row_masses, column_masses, epsilon, iterations);
  entropic_transport_options options{
      .epsilon = epsilon, .iterations = iterations, .row_masses = row_masses, .column_masses = column_masses};
  loss_value const found = entropic_transport.with_grad(b.student.view(), b.gradient.view(), options);
  EXPECT_EQ(found.value, entropic_transport(b.student.view(), options).value);
  double const scale = 2.3e-16 * (1 + 2 / epsilon);
  EXPECT_NEAR(found.value, static_cast<double>(exact.value),
              entropic_transport_loss::bound.value * scale * 2);
  for (index i = 0; i < rows; ++i) {
    for (index j = 0; j < columns; ++j) {
      double const expected =
          static_cast<double>(exact.by_cost[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
      ASSERT_NEAR(b.gradient.at(i, j), expected,
                  entropic_transport_loss::bound.gradient * scale + storage_rounding<T>(expected));
    }
  }
  options.gradient = transport_gradient::fixed_plan;
  entropic_transport.with_grad(b.student.view(), b.student.view(), options);
  for (index i = 0; i < rows; ++i) {
    for (index j = 0; j < columns; ++j) {
      double const expected =
          static_cast<double>(exact.plan[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
      ASSERT_NEAR(b.student.at(i, j), expected, 16 * scale + storage_rounding<T>(expected));
    }
  }
  EXPECT_EQ(b.gradient.damaged_guards() + b.student.damaged_guards(), 0);
}

TEST(entropic_transport, is_weighed) {
  batch<double> b(5, 7, 1.0), weighed(5, 7, 1.0);
  double const one = entropic_transport.with_grad(b.student.view(), b.gradient.view());
  for (double const weight : {0.375, 0.0}) {
    if (weight == 0.0) weighed.student.set(2, 3, std::nan(""));
    loss_value const found =
        entropic_transport.with_grad(weighed.student.view(), weighed.gradient.view(), {.weight = weight});
    EXPECT_DOUBLE_EQ(found.value, weight * one);
    EXPECT_EQ(found.weight, 5.0);
    for (index i = 0; i < 5; ++i) {
      for (index j = 0; j < 7; ++j) EXPECT_DOUBLE_EQ(weighed.gradient.at(i, j), weight * b.gradient.at(i, j));
    }
  }
}

TEST(entropic_transport, matches_the_reference) {
  for (auto const& [rows, columns] :
       {std::pair<index, index>{1, 1}, {1, 6}, {6, 1}, {5, 7}, {13, 40}, {30, 200}}) {
    expect_transport<double>(rows, columns, layout::padded, 0.1, 20);
    expect_transport<float>(rows, columns, layout::class_major, 0.5, 1);
    expect_transport<double>(rows, columns, layout::every_other, 0.01, 7);
  }
  expect_transport<bfloat16>(9, 11, layout::padded, 0.1, 5);
}

TEST(entropic_transport, differs_by_its_gradient) {
  batch<double> b(3, 4, 1.0);
  entropic_transport_options const options{.epsilon = 0.3, .iterations = 3};
  entropic_transport.with_grad(b.student.view(), b.gradient.view(), options);
  for (index i = 0; i < 3; ++i) {
    auto const difference = reference::gradient(
        [&](exact_row const& moved) {
          batch<double> at(3, 4, 1.0);
          std::vector<exact_row> cost;
          for (index k = 0; k < 3; ++k) cost.push_back(k == i ? moved : at.student.row<long double>(k));
          return reference::transport(cost, exact_row(3, 1.0L / 3), exact_row(4, 0.25L), 0.3, 3).value;
        },
        b.student.row<long double>(i));
    for (index j = 0; j < 4; ++j) {
      EXPECT_NEAR(b.gradient.at(i, j), static_cast<double>(difference[static_cast<std::size_t>(j)]), 1e-12);
    }
  }
}

TEST(entropic_transport, adds) {
  batch<double> b(3, 4, 1.0), sum(3, 4, 1.0);
  entropic_transport.with_grad(b.student.view(), b.gradient.view());
  for (index i = 0; i < 3; ++i) {
    for (index j = 0; j < 4; ++j) sum.gradient.set(i, j, 0.5);
  }
  entropic_transport.with_grad(parallel, sum.student.view(), sum.gradient.view(), {.accumulate = true});
  for (index i = 0; i < 3; ++i) {
    for (index j = 0; j < 4; ++j) EXPECT_EQ(sum.gradient.at(i, j), 0.5 + b.gradient.at(i, j));
  }
}

TEST(entropic_transport, finds_the_cheapest_permutation) {
  double const cost[] = {5, 1, 9, 1, 7, 8, 9, 6, 2};  // 1 + 1 + 2
  EXPECT_NEAR(entropic_transport(matrix_view(cost, 3, 3), {.epsilon = 0.05, .iterations = 200}), 4.0 / 3,
              1e-9);
}

TEST(entropic_transport, moves_nothing_where_nothing_is) {
  batch<double> b(2, 3);
  loss_value const found =
      entropic_transport.with_grad(b.student.view(), b.gradient.view(), {.column_masses = 0});
  EXPECT_EQ(found.value, 0.0);
  EXPECT_EQ(found.weight, 0.0);
  for (index j = 0; j < 3; ++j) EXPECT_EQ(b.gradient.at(1, j), 0.0);
  batch<double> none(0, 3);
  EXPECT_EQ(entropic_transport.with_grad(none.student.view(), none.gradient.view()).value, 0.0);
}

TEST(entropic_transport, is_nan_with_a_nan) {
  batch<double> b(4, 5);
  b.student.set(1, 2, std::nan(""));
  EXPECT_TRUE(std::isnan(entropic_transport.with_grad(b.student.view(), b.gradient.view()).value));
  EXPECT_TRUE(std::isnan(b.gradient.at(0, 0)));
}

TEST(entropic_transport, refuses) {
  batch<double> b(2, 3);
  auto const cost = b.student.view(), g = b.gradient.view();
  std::string const name = "distil::entropic_transport: ";
  std::vector<double> const two = {1, 2}, negative = {1, -1};
  EXPECT_EQ(refusal_of([&] { entropic_transport.with_grad(cost, matrix_view<double>(g.data, 2, 2)); }),
            name + "gradient is 2 x 2; it must be 2 x 3, the shape of the cost");
  EXPECT_EQ(refusal_of([&] { (void)entropic_transport(cost, {.column_masses = two}); }),
            name + "column_masses is of size 2; it must be one per column, 3");
  EXPECT_EQ(refusal_of([&] { (void)entropic_transport(cost, {.row_masses = negative}); }),
            name + "row_masses is -1 in row 1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)entropic_transport(cost, {.epsilon = -1}); }),
            name + "epsilon is -1; it must be within [1e-3, 1e3]");
  EXPECT_EQ(refusal_of([&] { entropic_transport.with_grad(cost, matrix_view<double>(cost.data + 1, 2, 3)); }),
            name +
                "gradient is overlapping the cost in part; it must be the cost's own matrix, element for "
                "element, or apart from it");
}

}  // namespace
}  // namespace distil::testing
