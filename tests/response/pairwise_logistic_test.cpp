#include "distil/response/pairwise_logistic.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/pairwise_logistic.hpp"
#include "distil/response/list_maximum_likelihood.hpp"

namespace distil::testing {
namespace {

row_suites<pairwise_logistic_case> const suites("pairwise_logistic");

TEST(pairwise_logistic, of_all_candidates_matches_the_reference) {
  for (index const columns : {2, 33, 200}) {
    batch<float> b(5, columns);
    for (index c = 0; c < columns; ++c)
      b.teacher.set(0, c, static_cast<double>(c % 3));  // groups of equal ones
    expect_reference<pairwise_logistic_case>(b, pairwise_setting{{{.label = "all"}}, 0.0}, {}, "float");
    batch<double> twin(5, columns);
    expect_reference<pairwise_logistic_case>(
        twin,
        pairwise_setting{{{.label = "all, by the teacher"}}, 1.0, pair_margin::times_teacher_difference}, {},
        "double");
  }
}

TEST(pairwise_logistic, of_two_candidates_is_the_likelihood_of_their_order) {
  batch<double> b(20, 2);
  EXPECT_NEAR(pairwise_logistic(b.student.view(), b.teacher.view()),
              list_maximum_likelihood(b.student.view(), b.teacher.view()), 1e-14);
}

TEST(pairwise_logistic, sums_pairs_for_a_mean_over_those_of_the_batch) {
  batch<double> b(2, 4);
  for (index c = 1; c < 4; ++c) b.teacher.set(1, c, minus_infinity);
  b.teacher.set(1, 2, 1.0);  // one pair here, six in the other row
  std::vector<double> values(2);
  (void)pairwise_logistic(b.student.view(), b.teacher.view(), {.rows = {.values = values}});
  double const over_batch = pairwise_logistic(b.student.view(), b.teacher.view(),
                                              {.pairs = pair_reduction::sum, .rows = {.normalizer = 7}});
  EXPECT_NEAR(over_batch, (6 * values[0] + values[1]) / 7, 1e-15);
}

}  // namespace
}  // namespace distil::testing
