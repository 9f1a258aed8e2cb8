#include "distil/response/wasserstein_logits.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/wasserstein_logits.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

batch_suites<wasserstein_logits_case> const suites("wasserstein_logits");

constexpr double equal_costs[] = {0, 1, 1, 1, 0, 1, 1, 1, 0};

TEST(wasserstein_logits, is_total_variation_where_all_classes_are_as_far) {
  // With costs 1 between any two classes, and hardly any smoothing.
  double const student[] = {std::log(0.2), std::log(0.5), std::log(0.3)}, teacher[] = {0.6, 0.3, 0.1};
  double const value = wasserstein_logits(
      matrix_view(student, 1, 3), probabilities(matrix_view(teacher, 1, 3)), matrix_view(equal_costs, 3, 3),
      {.temperature = 1, .epsilon = 0.01, .iterations = 300});
  EXPECT_NEAR(value, 0.4, 1e-6);
}

TEST(wasserstein_logits, gives_mass_to_the_similar_class_first) {
  double const cost[] = {0, 0.1, 1, 0.1, 0, 1, 1, 1, 0};
  double const student[] = {0, 5, 0}, other[] = {0, 0, 5}, teacher[] = {5, 0, 0};
  auto const value = [&](double const* z) {
    return wasserstein_logits(matrix_view(z, 1, 3), matrix_view(teacher, 1, 3), matrix_view(cost, 3, 3),
                              {.temperature = 1, .iterations = 50})
        .value;
  };
  EXPECT_LT(value(student), 0.2 * value(other));
}

TEST(wasserstein_logits, with_a_fixed_plan_descends_the_smoothed_problem) {
  // sum P M - epsilon H(P) at the converged plan.
  batch<double> b(2, 5, 2.0);
  double const epsilon = 0.5;
  auto const cost = wasserstein_logits_case::cost_of(5);
  wasserstein_logits.with_grad(
      b.student.view(), b.teacher.view(), matrix_view(cost.data(), 5, 5), b.gradient.view(),
      {.temperature = 1, .epsilon = epsilon, .iterations = 400, .gradient = transport_gradient::fixed_plan});
  exact_matrix exact_cost(5, exact_row(5));
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 5; ++j) exact_cost[i][j] = static_cast<long double>(cost[5 * i + j]);
  }
  for (index r = 0; r < 2; ++r) {
    auto const p = reference::softmax(b.teacher.row<long double>(r));
    auto const difference = reference::gradient(
        [&](exact_row const& z) {
          auto const plan = reference::transport(exact_cost, reference::softmax(z), p, epsilon, 400);
          long double value = plan.value;
          for (auto const& row : plan.plan) {
            for (long double const x : row) value += epsilon * x * std::log(x);
          }
          return value;
        },
        b.student.row<long double>(r));
    for (index c = 0; c < 5; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(difference[static_cast<std::size_t>(c)]) / 2,
                  1e-10);
    }
  }
}

TEST(wasserstein_logits, has_nothing_to_transport_beside_a_lone_label) {
  float const student[] = {2}, teacher[] = {1}, cost[] = {0};
  float gradient[1];
  std::vector<int> const labels = {0};
  EXPECT_EQ(
      wasserstein_logits.with_grad(matrix_view(student, 1, 1), matrix_view(teacher, 1, 1),
                                   matrix_view(cost, 1, 1), matrix_view(gradient, 1, 1), {.labels = labels}),
      0.0);
  EXPECT_EQ(gradient[0], 0.0F);
}

TEST(wasserstein_logits, takes_every_form_of_teacher) {
  batch<double> b(3, 7), softened(3, 7);
  auto const cost = wasserstein_logits_case::cost_of(7);
  matrix_view const m(cost.data(), 7, 7);
  std::vector<int> const labels = {1, 6, 0};
  wasserstein_logits_options const options{.labels = labels};
  double const expected = wasserstein_logits(b.student.view(), b.teacher.view(), m, options);
  softmax(b.teacher.view(), softened.teacher.view(), {.temperature = 3});
  EXPECT_NEAR(wasserstein_logits(b.student.view(), probabilities(softened.teacher.view(), 3), m, options),
              expected, 1e-13);
  // A distribution that is softened already has no other temperature: the label's probability is what it says.
  softmax(b.teacher.view(), softened.teacher.view(), {.temperature = 2});
  double const as_given = wasserstein_logits(b.student.view(), probabilities(softened.teacher.view()), m,
                                             {.labels = labels, .transport_weight = 0});
  double sum = 0;
  for (index r = 0; r < 3; ++r) {
    auto const label = static_cast<std::size_t>(labels[static_cast<std::size_t>(r)]);
    sum -= softened.teacher.at(r, static_cast<index>(label)) *
           static_cast<double>(reference::log_softmax(b.student.row<long double>(r))[label]) / 3;
  }
  EXPECT_NEAR(as_given, sum, 1e-14);
}

TEST(wasserstein_logits, ignores_rows_by_their_labels) {
  batch<float> b(4, 3);
  std::vector<int> const labels = {0, -100, 2, -100};
  std::vector<double> values(4, 7.0);
  loss_value const found =
      wasserstein_logits.with_grad(b.student.view(), b.teacher.view(), matrix_view(equal_costs, 3, 3),
                                   b.gradient.view(), {.labels = labels, .rows = {.values = values}});
  EXPECT_EQ(found.weight, 2.0);
  EXPECT_EQ(values[1], 0.0);
  EXPECT_NEAR(found.value, (values[0] + values[2]) / 2, 1e-7);
  for (index c = 0; c < 3; ++c) EXPECT_EQ(b.gradient.at(3, c), 0.0);
}

TEST(wasserstein_logits, keeps_nan_in_its_row) {
  for (bool const of_teacher : {false, true}) {
    batch<float> b(5, 3), clean(5, 3);
    (of_teacher ? b.teacher : b.student).set(2, 1, std::nan(""));
    std::vector<double> values(5), clean_values(5);
    std::vector<int> const labels = {0, 1, 2, 0, 1};
    matrix_view const cost(equal_costs, 3, 3);
    wasserstein_logits.with_grad(b.student.view(), b.teacher.view(), cost, b.gradient.view(),
                                 {.labels = labels, .rows = {.values = values}});
    wasserstein_logits.with_grad(clean.student.view(), clean.teacher.view(), cost, clean.gradient.view(),
                                 {.labels = labels, .rows = {.values = clean_values}});
    expect_no_allocation("wasserstein_logits", [&] {
      wasserstein_logits.with_grad(clean.student.view(), clean.teacher.view(), cost, clean.gradient.view(),
                                   {.labels = labels});
    });
    for (index r = 0; r < 5; ++r) {
      auto const at = static_cast<std::size_t>(r);
      EXPECT_TRUE(r == 2 ? std::isnan(values[at]) : values[at] == clean_values[at]) << r;
      for (index c = 0; c < 3; ++c) {
        EXPECT_TRUE(r == 2 ? std::isnan(b.gradient.at(r, c))
                           : b.gradient.at(r, c) == clean.gradient.at(r, c));
      }
    }
  }
}

TEST(wasserstein_logits, takes_a_temperature_for_each_row) {
  batch<double> b(3, 3);
  std::vector<double> const temperatures = {1, 2, 0.5};
  std::vector<double> together(3);
  matrix_view const cost(equal_costs, 3, 3);
  (void)wasserstein_logits(b.student.view(), b.teacher.view(), cost,
                           {.temperature = temperatures, .rows = {.values = together}});
  for (index r = 0; r < 3; ++r) {
    auto const row = [&](auto const& m) { return matrix_view(&m(r, 0), 1, 3); };
    EXPECT_NEAR(wasserstein_logits(row(b.student.view()), row(b.teacher.view()), cost,
                                   {.temperature = temperatures[static_cast<std::size_t>(r)]}),
                together[static_cast<std::size_t>(r)], 1e-14);
  }
}

TEST(wasserstein_logits, refuses) {
  batch<float> b(2, 3);
  auto const z = b.student.view(), t = b.teacher.view();
  matrix_view const cost(equal_costs, 3, 3);
  std::string const name = "distil::wasserstein_logits: ";
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, matrix_view(equal_costs, 3, 2)); }),
            name + "cost is 3 x 2; it must be 3 x 3, from each class to each");
  double broken[9] = {};
  broken[5] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, matrix_view(broken, 3, 3)); }),
            name + "cost is inf at 1, 2; it must be finite");
  std::vector<int> const wrong = {0, 3}, few = {0};
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.labels = wrong}); }),
            name + "label is 3 in row 1; it must be within [0, 3) or the ignored label -100");
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.labels = few}); }),
            name + "labels is of size 1; it must be one per row, 2");
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.epsilon = 1e-4}); }),
            name + "epsilon is 1e-04; it must be within [1e-3, 1e3]");
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.iterations = -1}); }),
            name + "iterations is -1; it must be within [1, 1000]");
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.transport_weight = -1}); }),
            name + "transport_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)wasserstein_logits(z, t, cost, {.target_weight = -1}); }),
            name + "target_weight is -1; it must be finite and >= 0");
  matrix_view<float> const square(t.data, 2, 2);
  float small[4] = {};
  EXPECT_EQ(refusal_of([&] {
              wasserstein_logits.with_grad(matrix_view<float>(z.data, 2, 2), square, matrix_view(small, 2, 2),
                                           matrix_view(small, 2, 2));
            }),
            name + "gradient is overlapping the cost; it must be apart from the cost");
}

}  // namespace
}  // namespace distil::testing
