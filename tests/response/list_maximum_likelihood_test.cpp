#include "distil/response/list_maximum_likelihood.hpp"

#include <numeric>

#include "../support/behaviour_suite.hpp"
#include "../support/cases/list_maximum_likelihood.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<list_maximum_likelihood_case> const suites("list_maximum_likelihood");

double value_of(std::vector<double> const& student, std::vector<double> const& teacher,
                list_maximum_likelihood_options const& options = {}) {
  auto const size = static_cast<index>(student.size());
  return list_maximum_likelihood(matrix_view<double const>(student.data(), 1, size),
                                 matrix_view<double const>(teacher.data(), 1, size), options);
}

TEST(list_maximum_likelihood, is_a_distribution_over_orders) {
  std::vector<double> const student = {0.3, -1.0, 2.0, 0.5};
  std::vector<double> teacher = {1, 2, 3, 4};
  double sum = 0, sum_of_first_two = 0;
  do {
    sum += std::exp(-value_of(student, teacher));
    sum_of_first_two += std::exp(-value_of(student, teacher, {.top = 2, .others = below_top::competing})) / 2;
  } while (std::next_permutation(teacher.begin(), teacher.end()));
  EXPECT_NEAR(sum, 1.0, 1e-14);
  EXPECT_NEAR(sum_of_first_two, 1.0, 1e-14) << "each first pair stands for two orders";
}

TEST(list_maximum_likelihood, of_the_first_place_alone_is_cross_entropy) {
  std::vector<double> const student = {0.3, -1.0, 2.0, 0.5}, teacher = {0, 0, 1, 7};
  auto const log_q = reference::log_softmax(student);
  EXPECT_NEAR(value_of(student, teacher, {.top = 1, .others = below_top::competing}), -log_q[3], 1e-15);
  EXPECT_EQ(value_of(student, teacher, {.top = 1}), 0.0) << "one candidate has one order";
}

TEST(list_maximum_likelihood, puts_equal_scores_in_the_order_of_their_columns) {
  EXPECT_EQ(value_of({0.3, -1.0, 2.0}, {5, 5, 5}), value_of({0.3, -1.0, 2.0}, {3, 2, 1}));
}

TEST(list_maximum_likelihood, of_candidates_is_that_of_their_classes_alone) {
  batch<float> narrow(4, 6), wide(4, 50);
  std::vector<std::int32_t> ids(4 * 6);
  for (index r = 0; r < 4; ++r) {
    for (index i = 0; i < 6; ++i) {
      auto& id = ids[static_cast<std::size_t>(r * 6 + i)];
      id = static_cast<std::int32_t>((i * 17 + r * 5) % 50);
      wide.student.set(r, id, narrow.student.at(r, i));
    }
    narrow.teacher.set(r, 2, minus_infinity);  // padding
    ids[static_cast<std::size_t>(r * 6 + 2)] = -1;
  }
  double const expected =
      list_maximum_likelihood.with_grad(narrow.student.view(), narrow.teacher.view(), narrow.gradient.view());
  matrix_view<std::int32_t const> const id_view(ids.data(), 4, 6);
  auto const candidates = ranked_candidates(id_view, narrow.teacher.view());
  EXPECT_EQ(list_maximum_likelihood.with_grad(wide.student.view(), candidates, wide.gradient.view()).value,
            expected);
  EXPECT_EQ(list_maximum_likelihood(wide.student.view(), candidates).value, expected);
  for (index r = 0; r < 4; ++r) {
    std::vector<double> row(50, 0.0);
    for (index i = 0; i < 6; ++i) {
      if (i != 2)
        row[static_cast<std::size_t>(ids[static_cast<std::size_t>(r * 6 + i)])] = narrow.gradient.at(r, i);
    }
    for (index c = 0; c < 50; ++c) EXPECT_EQ(wide.gradient.at(r, c), row[static_cast<std::size_t>(c)]);
  }
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 50; ++c) wide.gradient.set(r, c, 1.0);
  }
  list_maximum_likelihood.with_grad(wide.student.view(), candidates, wide.gradient.view(),
                                    {.accumulate = true});
  EXPECT_EQ(wide.gradient.at(0, 49), 1.0);
  ids[7] = 50;
  EXPECT_EQ(refusal_of([&] { (void)list_maximum_likelihood(wide.student.view(), candidates); }),
            "distil::list_maximum_likelihood: teacher.ids is 50 in row 1; it must be within [0, 50) where "
            "the score is "
            "not -inf");
  ids[7] = 0;
  matrix_view<std::int32_t const> const few(ids.data(), 4, 5);
  EXPECT_EQ(
      refusal_of([&] {
        (void)list_maximum_likelihood(wide.student.view(), ranked_candidates(few, narrow.teacher.view()));
      }),
      "distil::list_maximum_likelihood: teacher.ids is 4 x 5; it must be 4 x 6, the shape of the scores");
}

TEST(list_maximum_likelihood, refuses) {
  batch<float> b(3, 4);
  auto const refusal = [&](list_maximum_likelihood_options const& options) {
    return refusal_of([&] {
      list_maximum_likelihood.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
    });
  };
  EXPECT_EQ(refusal({.top = -1}), "distil::list_maximum_likelihood: top is -1; it must be >= 0 (0: all)");
  EXPECT_EQ(refusal({.temperature = -1}),
            "distil::list_maximum_likelihood: temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(
      refusal({.others = static_cast<below_top>(3)}),
      "distil::list_maximum_likelihood: others is 3; it must be below_top::left_out or below_top::competing");
  EXPECT_EQ(refusal_of([&] {
              list_maximum_likelihood.with_grad(b.student.view(), b.teacher.view(), b.teacher.view());
            }),
            "distil::list_maximum_likelihood: gradient is overlapping the teacher; it must be apart from the "
            "teacher");
}

}  // namespace
}  // namespace distil::testing
