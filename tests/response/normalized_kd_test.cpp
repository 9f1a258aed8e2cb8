#include "distil/response/normalized_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/normalized_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(normalized_kd, response_suite, in_float_and_double<normalized_kd_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(normalized_kd, behaviour_suite, in_float_and_double<normalized_kd_case>);

TEST(normalized_kd, is_cross_entropy_under_a_sure_teacher) {
  batch<double> b(6, 30);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 30; ++c) {
      b.teacher.set(r, c, c == b.labels[static_cast<std::size_t>(r)] ? 1.0 : minus_infinity);
    }
  }
  EXPECT_NEAR(normalized_kd(b.student.view(), b.teacher.view(), b.labels),
              cross_entropy(b.student.view(), b.labels), 1e-14);
}

TEST(normalized_kd, takes_a_temperature_for_every_row_some_of_them_1) {
  for (index const columns : {6, 90}) {
    batch<double> b(19, columns);
    std::vector<double> temperature, values(19);
    for (int r = 0; r < 19; ++r) temperature.push_back(r % 3 == 0 ? 1.0 : 0.5 * r);
    (void)normalized_kd.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                                  {.temperature = temperature, .rows = {.values = values}});
    for (index r = 0; r < 19; ++r) {
      auto const at = static_cast<std::size_t>(r);
      normalized_setting const s{{.temperature = temperature[at]}};
      truth const row = normalized_kd_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r),
                                               b.labels[at], s);
      EXPECT_NEAR(values[at], static_cast<double>(row.value), 1e-12 * (1 + values[at]));
      for (index c = 0; c < columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(row.gradient[static_cast<std::size_t>(c)]) / 19,
                    1e-14);
      }
    }
  }
}

TEST(normalized_kd, knows_the_teacher_at_temperature_1_from_every_form) {
  batch<double> b(7, 50);
  owned_matrix<double> probability(7, 50, layout::row_major), logarithm(7, 50, layout::row_major);
  for (index r = 0; r < 7; ++r) {
    auto const p = reference::from_logits(b.teacher.row(r), 2.0);
    for (index c = 0; c < 50; ++c) {
      probability.set(r, c, p.probability[static_cast<std::size_t>(c)]);
      logarithm.set(r, c, p.log_probability[static_cast<std::size_t>(c)]);
    }
  }
  auto const z = b.student.view();
  normalized_kd_options const options{.temperature = 2};
  double const expected = normalized_kd(z, b.teacher.view(), b.labels, options);
  EXPECT_NEAR(normalized_kd(z, probabilities(std::as_const(probability).view()), b.labels, options), expected,
              1e-12);
  EXPECT_NEAR(normalized_kd(z, log_probabilities(std::as_const(logarithm).view(), 2), b.labels, options),
              expected, 1e-12);
  EXPECT_NEAR(normalized_kd(z, log_probabilities(b.teacher.view(), 1), b.labels, options), expected, 1e-12);
}

// USKD (same paper, section 3.3): labels weighed by 1 + q_y^2 - mean q_y^2, and Zipf's law in the order of the classes
// for the others, both constants for the gradient.
TEST(normalized_kd, makes_universal_self_distillation_with_weighted_cross_entropy) {
  batch<double> b(6, 15);
  owned_matrix<double> zipf(6, 15, layout::row_major);
  std::vector<double> weights;
  double expected = 0, mean = 0;
  for (index r = 0; r < 6; ++r) {
    auto const label = static_cast<std::size_t>(b.labels[static_cast<std::size_t>(r)]);
    auto const q = reference::softmax(b.student.row(r)), order = b.teacher.row(r);
    weights.push_back(1 + q[label] * q[label]);
    mean += q[label] * q[label] / 6;
    for (std::size_t c = 0; c < 15; ++c) {
      auto const before = [&](std::size_t i) { return i != label && order[i] > order[c]; };
      double rank = 1;
      for (std::size_t i = 0; i < 15; ++i) rank += before(i) ? 1 : 0;
      zipf.set(r, static_cast<index>(c), c == label ? 0 : 1 / rank);
    }
  }
  for (index r = 0; r < 6; ++r) {
    auto const at = static_cast<std::size_t>(r);
    auto const label = static_cast<std::size_t>(b.labels[at]);
    weights[at] -= mean;
    auto const log_q = reference::log_softmax(b.student.row(r));
    double others = 0, sum = 0, total = 0;
    for (std::size_t c = 0; c < 15; ++c) {
      others += c == label ? 0 : std::exp(log_q[c]);
      total += zipf.at(r, static_cast<index>(c));
    }
    for (std::size_t c = 0; c < 15; ++c) {
      if (c != label) sum -= zipf.at(r, static_cast<index>(c)) / total * (log_q[c] - std::log(others));
    }
    expected += (-weights[at] * log_q[label] + 0.1 * sum) / 6;
  }
  auto const objective = fuse(cross_entropy.term(b.labels, {.rows = {.weights = weights, .normalizer = 6}}),
                              0.1 * normalized_kd.term(probabilities(std::as_const(zipf).view()), b.labels,
                                                       {.non_target_weight = 1}));
  EXPECT_NEAR(objective.with_grad(b.student.view(), b.gradient.view()), expected, 1e-13);
}

TEST(normalized_kd, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)normalized_kd(z, t, b.labels, {.non_target_weight = -1}); }),
            "distil::normalized_kd: non_target_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
