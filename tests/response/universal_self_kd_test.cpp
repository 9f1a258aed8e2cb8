#include "distil/response/universal_self_kd.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/universal_self_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/normalized_kd.hpp"

namespace distil::testing {
namespace {

batch_suites<universal_self_kd_case> const suites("universal_self_kd");

TEST(universal_self_kd, is_weighted_cross_entropy_and_soft_labels_of_the_others) {
  batch<double> b(6, 15);
  owned_matrix<double> soft(6, 15, layout::row_major);
  std::vector<double> weights;
  std::vector<long double> const each(6, 1);
  exact_matrix z, w;
  std::vector<int> labels;
  for (index r = 0; r < 6; ++r) {
    z.push_back(b.student.row<long double>(r)), w.push_back(b.teacher.row<long double>(r));
    labels.push_back(static_cast<int>(universal_self_kd_case::label_of(w.back())));
  }
  auto const held = universal_self_kd_case::constants(z, w, each, {});
  for (index r = 0; r < 6; ++r) {
    weights.push_back(static_cast<double>(held.target[static_cast<std::size_t>(r)]));
    for (index c = 0; c < 15; ++c) {
      soft.set(r, c,
               static_cast<double>(held.others[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)]));
    }
  }
  owned_matrix<double> expected(6, 15, layout::row_major);
  auto const objective = fuse(
      cross_entropy.term(labels, {.rows = {.weights = weights, .normalizer = 6}}),
      0.1 * normalized_kd.term(probabilities(std::as_const(soft).view()), labels, {.non_target_weight = 1}));
  EXPECT_NEAR(objective.with_grad(b.student.view(), expected.view()),
              universal_self_kd.with_grad(b.student.view(), b.teacher.view(), labels, b.gradient.view()),
              1e-13);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 15; ++c) EXPECT_NEAR(b.gradient.at(r, c), expected.at(r, c), 1e-14);
  }
}

TEST(universal_self_kd, orders_the_others_by_both_heads) {
  // q^ = (0.5, 0.3, 0.2) and w^ = (0.1, 0.3, 0.6) off the label, which is the last: sums 0.6, 0.6 less a little, 0.8.
  double const student[] = {std::log(0.5), std::log(0.29), std::log(0.2), 2};
  double const weak[] = {std::log(0.1), std::log(0.3), std::log(0.6), -1};
  std::vector<int> const label = {3};
  double gradient[4];
  universal_self_kd.with_grad(matrix_view(student, 1, 4), matrix_view(weak, 1, 4), label,
                              matrix_view(gradient, 1, 4), {.target_weight = 0, .non_target_weight = 1});
  double const zipf = 1.0 + 1.0 / 2 + 1.0 / 3;
  EXPECT_NEAR(gradient[0], 0.5 / 0.99 - 0.5 / zipf, 1e-14);
  EXPECT_NEAR(gradient[1], 0.29 / 0.99 - 1.0 / 3 / zipf, 1e-14);
  EXPECT_NEAR(gradient[2], 0.2 / 0.99 - 1 / zipf, 1e-14);
  EXPECT_EQ(gradient[3], 0);
  // The authors' code: the label comes first here, and takes the place.
  double const sure[] = {std::log(0.1), std::log(0.3), std::log(0.6), 5};
  universal_self_kd.with_grad(matrix_view(student, 1, 4), matrix_view(sure, 1, 4), label,
                              matrix_view(gradient, 1, 4),
                              {.target_weight = 0, .non_target_weight = 1, .ranking = self_ranking::of_code});
  double const rest = 1.0 / 2 + 1.0 / 3 + 1.0 / 4;
  // w^_i + log q_i / (1 - log q_y), with log q = -2.8, -3.4, -3.7 and -0.13 for the label: -2.4, -2.7 and -2.7.
  EXPECT_NEAR(gradient[0], 0.5 / 0.99 - 1.0 / 2 / rest, 1e-14);
  EXPECT_NEAR(gradient[1], 0.29 / 0.99 - 1.0 / 3 / rest, 1e-14);
  EXPECT_NEAR(gradient[2], 0.2 / 0.99 - 1.0 / 4 / rest, 1e-14);
}

TEST(universal_self_kd, weighs_the_label_by_how_sure_the_student_is) {
  // Two rows, q_y = 0.8 and 0.2: q_y^2 = 0.64, 0.04, mean 0.34.
  double const student[] = {std::log(4.0), 0, 0, std::log(4.0)}, weak[] = {0, 0, 0, 0};
  std::vector<int> const labels = {0, 0};
  double values[2], gradient[4];
  universal_self_kd.with_grad(matrix_view(student, 2, 2), matrix_view(weak, 2, 2), labels,
                              matrix_view(gradient, 2, 2), {.rows = {.values = values}});
  EXPECT_NEAR(values[0], -1.3 * std::log(0.8), 1e-15);
  EXPECT_NEAR(values[1], -0.7 * std::log(0.2), 1e-15);
  EXPECT_NEAR(gradient[0], -1.3 * 0.2 / 2, 1e-15);
  EXPECT_NEAR(gradient[2], -0.7 * 0.8 / 2, 1e-15);
}

TEST(universal_self_kd, keeps_what_is_nan_in_its_row) {
  batch<float> b(3, 5);
  b.student.set(1, 2, std::nan(""));
  std::vector<int> const labels = {0, 1, 2};
  universal_self_kd.with_grad(b.student.view(), b.teacher.view(), labels, b.gradient.view());
  for (index c = 0; c < 5; ++c) {
    EXPECT_TRUE(std::isfinite(b.gradient.at(0, c)));
    EXPECT_TRUE(std::isnan(b.gradient.at(1, c)));
    EXPECT_TRUE(std::isfinite(b.gradient.at(2, c)));
  }
}

TEST(universal_self_kd, allocates_nothing_after_its_first_call) {
  batch<float> b(40, 70);
  std::vector<int> const labels(40, 3);
  expect_no_allocation("universal_self_kd", [&] {
    universal_self_kd.with_grad(b.student.view(), b.teacher.view(), labels, b.gradient.view());
  });
}

TEST(universal_self_kd, refuses_what_it_cannot_use) {
  batch<float> b(3, 4), other(3, 5);
  auto const z = b.student.view(), w = b.teacher.view();
  std::vector<int> labels = {0, 1, 3};
  EXPECT_EQ(refusal_of([&] { (void)universal_self_kd(z, w, labels, {.target_weight = -1}); }),
            "distil::universal_self_kd: target_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)universal_self_kd(z, w, labels, {.non_target_weight = -2}); }),
            "distil::universal_self_kd: non_target_weight is -2; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)universal_self_kd(z, other.teacher.view(), labels); }),
            "distil::universal_self_kd: weak is 3 x 5; it must be 3 x 4, the shape of the student");
  EXPECT_NE(refusal_of([&] { universal_self_kd.with_grad(z, w, labels, b.teacher.view()); }).find("weak"),
            std::string::npos);
  labels[2] = 4;
  EXPECT_EQ(
      refusal_of([&] { (void)universal_self_kd(z, w, labels); }),
      "distil::universal_self_kd: label is 4 in row 2; it must be within [0, 4) or the ignored label -100");
}

}  // namespace
}  // namespace distil::testing
