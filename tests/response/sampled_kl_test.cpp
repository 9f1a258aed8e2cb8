#include "distil/response/sampled_kl.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/sampled_kl.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<sampled_kl_case> const suites("sampled_kl");

/// One row of logits, sampled once as every class with the probability of that class: sums over the batch are exact
/// expectations under the student.
class sampled_kl_expectation : public ::testing::Test {
 protected:
  static constexpr index classes = 7;
  batch<double> b{classes, classes, 2.0};
  exact_row z = b.student.row<long double>(0), t = b.teacher.row<long double>(0);
  std::vector<double> q;
  std::vector<double> log_p;

  void SetUp() override {
    for (index r = 0; r < classes; ++r) {
      for (index c = 0; c < classes; ++c) {
        b.student.set(r, c, b.student.at(0, c)), b.teacher.set(r, c, b.teacher.at(0, c));
      }
      b.labels[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(r);
      q.push_back(static_cast<double>(reference::softmax(z)[static_cast<std::size_t>(r)]));
      log_p.push_back(static_cast<double>(reference::log_softmax(t)[static_cast<std::size_t>(r)]));
    }
  }

  struct mean {
    double value;
    std::vector<double> gradient;
  };
  mean of(kl_estimator estimator, double coefficient = 1.0) {
    mean result{sampled_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                                     {.estimator = estimator,
                                      .advantage_coefficient = coefficient,
                                      .rows = {.reduce = reduction::sum, .weights = q}}),
                std::vector<double>(classes, 0.0)};
    for (index r = 0; r < classes; ++r) {
      for (index c = 0; c < classes; ++c) {
        result.gradient[static_cast<std::size_t>(c)] += b.gradient.at(r, c);
      }
    }
    return result;
  }

  static long double kl(exact_row const& log_a, exact_row const& log_b) {
    long double sum = 0;
    for (std::size_t c = 0; c < log_a.size(); ++c) sum += std::exp(log_a[c]) * (log_a[c] - log_b[c]);
    return sum;
  }
  exact_row gradient_of(bool forward) {
    return reference::gradient(
        [&](exact_row const& moved) {
          auto const log_q = reference::log_softmax(moved), log_t = reference::log_softmax(t);
          return forward ? kl(log_t, log_q) : kl(log_q, log_t);
        },
        z);
  }
  static void expect_near(std::vector<double> const& found, exact_row const& wanted, long double factor) {
    for (std::size_t c = 0; c < found.size(); ++c) {
      EXPECT_NEAR(found[c], static_cast<double>(factor * wanted[c]), 1e-11) << "class " << c;
    }
  }
};

TEST_F(sampled_kl_expectation, of_k1_is_reverse_kl_and_its_gradient_is_zero) {
  mean const k1 = of(kl_estimator::k1);
  EXPECT_NEAR(k1.value, static_cast<double>(kl(reference::log_softmax(z), reference::log_softmax(t))), 1e-14);
  expect_near(k1.gradient, exact_row(classes, 0), 1);
}

TEST_F(sampled_kl_expectation, of_the_gradient_of_k2_is_that_of_reverse_kl) {
  expect_near(of(kl_estimator::k2).gradient, gradient_of(false), 1);
}

TEST_F(sampled_kl_expectation, of_k3_is_reverse_kl_but_its_gradient_is_that_of_forward_kl) {
  mean const k3 = of(kl_estimator::k3);
  EXPECT_NEAR(k3.value, static_cast<double>(kl(reference::log_softmax(z), reference::log_softmax(t))), 1e-14);
  expect_near(k3.gradient, gradient_of(true), 1);
}

TEST_F(sampled_kl_expectation, of_the_gradient_of_the_policy_is_that_of_reverse_kl) {
  expect_near(of(kl_estimator::policy_gradient, 0.5).gradient, gradient_of(false), 0.5L);
}

TEST_F(sampled_kl_expectation, of_the_absolute_value_holds_signs_fixed) {
  exact_row const log_q = reference::log_softmax(z), log_t = reference::log_softmax(t);
  auto const wanted = reference::gradient(
      [&](exact_row const& moved) {
        exact_row const q_moved = reference::softmax(moved);
        long double sum = 0;
        for (std::size_t c = 0; c < z.size(); ++c) sum += q_moved[c] * (log_q[c] > log_t[c] ? 1 : -1);
        return sum;
      },
      z);
  expect_near(of(kl_estimator::absolute).gradient, wanted, 1);
}

TEST_F(sampled_kl_expectation, does_not_depend_on_how_the_teacher_comes) {
  batch<double> other = b;
  for (kl_estimator const estimator : {kl_estimator::k3, kl_estimator::policy_gradient}) {
    sampled_kl_options const options{.estimator = estimator};
    double const value =
        sampled_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(), options);
    auto const expect_same = [&](auto const& teacher, char const* what) {
      EXPECT_NEAR(
          sampled_kl.with_grad(other.student.view(), teacher, other.labels, other.gradient.view(), options),
          value, 1e-13)
          << what;
      EXPECT_EQ(
          sampled_kl(other.student.view(), teacher, other.labels, options),
          sampled_kl.with_grad(other.student.view(), teacher, other.labels, other.gradient.view(), options));
      for (index r = 0; r < classes; ++r) {
        for (index c = 0; c < classes; ++c) {
          EXPECT_NEAR(other.gradient.at(r, c), b.gradient.at(r, c), 1e-13) << what;
        }
      }
    };
    expect_same(sampled_log_probabilities{log_p}, "log-probabilities of the samples");
    for (index c = 0; c < classes; ++c) {
      for (index r = 0; r < classes; ++r) other.teacher.set(r, c, log_p[static_cast<std::size_t>(c)]);
    }
    expect_same(log_probabilities(other.teacher.view()), "log-probabilities");
    for (index c = 0; c < classes; ++c) {
      for (index r = 0; r < classes; ++r)
        other.teacher.set(r, c, std::exp(log_p[static_cast<std::size_t>(c)]));
    }
    expect_same(probabilities(other.teacher.view()), "probabilities");
  }
}

TEST(sampled_kl, moves_a_captured_teacher_with_the_temperature) {
  batch<double> b(4, 9);
  double const at_three = sampled_kl(b.student.view(), b.teacher.view(), b.labels, {.temperature = 3});
  batch<double> captured = b;
  for (index r = 0; r < 4; ++r) {
    auto const p = reference::softmax(b.teacher.row<long double>(r));
    for (index c = 0; c < 9; ++c)
      captured.teacher.set(r, c, static_cast<double>(p[static_cast<std::size_t>(c)]));
  }
  EXPECT_NEAR(
      sampled_kl(b.student.view(), probabilities(captured.teacher.view(), 1), b.labels, {.temperature = 3}),
      at_three, 1e-13);
}

TEST(sampled_kl, takes_numbers_of_the_teacher_for_any_length_of_row) {
  for (index const columns : {index{5}, index{300}, 2 * simd::least_part_columns + 3}) {
    batch<float> b(3, columns), twin = b;
    std::vector<float> log_p;
    for (index r = 0; r < 3; ++r) {
      auto const row = reference::log_softmax(b.teacher.row<long double>(r));
      log_p.push_back(
          static_cast<float>(row[static_cast<std::size_t>(b.labels[static_cast<std::size_t>(r)])]));
    }
    double const dense =
        sampled_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view());
    EXPECT_NEAR(sampled_kl.with_grad(twin.student.view(), sampled_log_probabilities{log_p}, twin.labels,
                                     twin.gradient.view()),
                dense, 1e-4 * (1 + dense));
    for (index c = 0; c < columns; ++c) ASSERT_NEAR(twin.gradient.at(2, c), b.gradient.at(2, c), 1e-4);
    expect_no_allocation("numbers", [&] {
      sampled_kl.with_grad(twin.student.view(), sampled_log_probabilities{log_p}, twin.labels,
                           twin.gradient.view());
    });
  }
}

TEST(sampled_kl, of_a_token_that_is_impossible_leaves_masked_classes_alone) {
  batch<float> b(2, 40);
  b.labels = {3, 3};
  for (index r = 0; r < 2; ++r) b.student.set(r, 7, minus_infinity);
  b.teacher.set(0, 3, minus_infinity);
  for (kl_estimator const estimator :
       {kl_estimator::k1, kl_estimator::k2, kl_estimator::k3, kl_estimator::absolute}) {
    std::vector<double> values(2);
    sampled_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                         {.estimator = estimator, .rows = {.values = values}});
    EXPECT_EQ(values[0], std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isfinite(values[1]));
    EXPECT_EQ(b.gradient.at(0, 7), 0.0);
    EXPECT_GT(b.gradient.at(0, 3), 0.0) << "the token becomes less likely";
    for (index c = 0; c < 40; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(0, c)));
  }
}

TEST(sampled_kl, clips_what_is_above_the_limit) {
  batch<double> b(1, 3);
  for (index c = 0; c < 3; ++c) b.student.set(0, c, c == 0 ? -8.0 : 0.0), b.teacher.set(0, c, 0.0);
  b.labels = {0};
  EXPECT_EQ(sampled_kl
                .with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                           {.estimator = kl_estimator::clipped_k3})
                .value,
            10.0);
  for (index c = 0; c < 3; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(sampled_kl, is_zero_and_never_negative_where_student_and_teacher_nearly_agree) {
  batch<float> b(50, 12);
  std::vector<double> values(50);
  for (index r = 0; r < 50; ++r) {
    for (index c = 0; c < 12; ++c)
      b.teacher.set(r, c, b.student.at(r, c) * (1 + 1e-6 * static_cast<double>(r)));
  }
  (void)sampled_kl(b.student.view(), b.teacher.view(), b.labels,
                   {.estimator = kl_estimator::k3, .rows = {.values = values}});
  EXPECT_EQ(values[0], 0.0);
  for (double const value : values) {
    EXPECT_GE(value, 0.0);
    EXPECT_LT(value, 1e-6);
  }
}

// Apart from the shared settings, whose gradient is the derivative of the whole value: here the advantage is fixed.
TEST(sampled_kl, by_policy_gradient_matches_the_reference) {
  for (double const temperature : {0.5, 1.0, 4.0}) {
    sampled_kl_setting s{{.label = "policy gradient"}, kl_estimator::policy_gradient, 10, 0.25};
    s.temperature = temperature;
    for (index const columns : {1, 5, 130, 1500}) {
      batch<float> b(19, columns);
      expect_reference<sampled_kl_case>(b, s, {}, "float");
      batch<double> twin(19, columns);
      expect_reference<sampled_kl_case>(twin, s, {}, "double");
    }
  }
}

TEST(sampled_kl, fuses) {
  batch<double> b(6, 30), parts = b;
  auto const objective = fuse(0.5 * sampled_kl.term(b.teacher.view(), b.labels, {.temperature = 2}),
                              2.0 * forward_kl.term(b.teacher.view()));
  auto const loss = objective.with_grad(b.student.view(), b.gradient.view());
  owned_matrix<double> first(6, 30, layout::row_major), second(6, 30, layout::row_major);
  double const of_first =
      sampled_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, first.view(), {.temperature = 2});
  double const of_second = forward_kl.with_grad(b.student.view(), b.teacher.view(), second.view());
  EXPECT_NEAR(loss.value, 0.5 * of_first + 2 * of_second, 1e-13);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 30; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), 0.5 * first.at(r, c) + 2 * second.at(r, c), 1e-14);
    }
  }
}

TEST(sampled_kl, refuses) {
  batch<float> b(3, 4);
  auto const refusal = [&](std::vector<std::int32_t> const& ids, sampled_kl_options const& options) {
    return refusal_of(
        [&] { sampled_kl.with_grad(b.student.view(), b.teacher.view(), ids, b.gradient.view(), options); });
  };
  std::vector<std::int32_t> const ids = {0, -100, 3};
  EXPECT_EQ(refusal(ids, {}), "");
  EXPECT_EQ(
      refusal({0, 4, 1}, {}),
      "distil::sampled_kl: sampled id is 4 in row 1; it must be within [0, 4) or the ignored label -100");
  EXPECT_EQ(refusal({0, 1}, {}), "distil::sampled_kl: sampled_ids is of size 2; it must be one per row, 3");
  EXPECT_EQ(refusal(ids, {.limit = 0}), "distil::sampled_kl: limit is 0; it must be > 0");
  EXPECT_EQ(refusal(ids, {.advantage_coefficient = -1}),
            "distil::sampled_kl: advantage_coefficient is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal(ids, {.temperature = 0}),
            "distil::sampled_kl: temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal(ids, {.estimator = static_cast<kl_estimator>(9)}),
            "distil::sampled_kl: estimator is 9; it must be one of kl_estimator");
  std::vector<float> const two = {-1, -2};
  EXPECT_EQ(refusal_of([&] { (void)sampled_kl(b.student.view(), sampled_log_probabilities{two}, ids); }),
            "distil::sampled_kl: teacher is of size 2; it must be one per row, 3");
  EXPECT_EQ(refusal_of([&] { (void)sampled_kl(b.student.view(), sampled_log_probabilities{-1}, ids); }),
            "distil::sampled_kl: teacher is one number; it must be one log-probability per row");
  EXPECT_EQ(
      refusal_of([&] { sampled_kl.with_grad(b.student.view(), b.teacher.view(), ids, b.teacher.view()); }),
      "distil::sampled_kl: gradient is overlapping the teacher; it must be apart from the teacher");
  EXPECT_EQ(refusal_of([&] { (void)sampled_kl.term(b.teacher.view(), ids, {.accumulate = true}); }),
            "distil::sampled_kl: accumulate is set on a term; it must be set on the objective");
}

}  // namespace
}  // namespace distil::testing
