#include "distil/response/decoupled_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/decoupled_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<decoupled_kd_case> const suites("decoupled_kd");

/// The two parts of every row, each alone.
struct parts {
  std::vector<double> target, others;

  template <class Batch>
  parts(Batch const& b, double temperature) : target(b.labels.size()), others(b.labels.size()) {
    for (bool const is_target : {true, false}) {
      (void)decoupled_kd(b.student.view(), b.teacher.view(), b.labels,
                         {.temperature = temperature,
                          .target_weight = is_target ? 1.0 : 0.0,
                          .non_target_weight = is_target ? 0.0 : 1.0,
                          .rows = {.values = is_target ? target : others}});
    }
  }
};

TEST(decoupled_kd, puts_forward_kl_into_two_parts) {
  for (index const columns : {1, 2, 5, 40, 1500}) {
    batch<double> b(9, columns);
    std::vector<double> kl(9);
    (void)forward_kl(b.student.view(), b.teacher.view(), {.temperature = 2, .rows = {.values = kl}});
    parts const found(b, 2);
    for (std::size_t r = 0; r < 9; ++r) {
      auto const p = reference::softmax(b.teacher.row(static_cast<index>(r)), 2.0);
      double const p_label = p[static_cast<std::size_t>(b.labels[r])];
      EXPECT_NEAR(found.target[r] + (1 - p_label) * found.others[r], kl[r], 1e-13 * (1 + kl[r])) << columns;
    }
  }
}

TEST(decoupled_kd, has_no_second_part_with_two_classes) {
  batch<double> b(20, 2);
  std::vector<double> kl(20);
  (void)forward_kl(b.student.view(), b.teacher.view(), {.temperature = 3, .rows = {.values = kl}});
  parts const found(b, 3);
  for (std::size_t r = 0; r < 20; ++r) {
    EXPECT_EQ(found.others[r], 0.0);
    EXPECT_NEAR(found.target[r], kl[r], 1e-13 * (1 + kl[r]));
  }
}

TEST(decoupled_kd, keeps_the_others_apart_however_sure_of_the_label_a_row_is) {
  // q_y rounds to 1, and e^-2000 to 0; what is left differs as ever.
  for (index const columns : {5, 33, 1500}) {
    batch<float> sure(6, columns), unsure(6, columns);
    for (index r = 0; r < 6; ++r) {
      sure.student.set(r, sure.labels[static_cast<std::size_t>(r)], 2000.0);
      sure.teacher.set(r, sure.labels[static_cast<std::size_t>(r)], 1000.0);
    }
    auto const found = parts(sure, 1).others, expected = parts(unsure, 1).others;
    for (std::size_t r = 0; r < 6; ++r) EXPECT_NEAR(found[r], expected[r], 1e-6 * (1 + expected[r]));
    expect_reference<decoupled_kd_case>(sure, decoupled_kd_case::settings()[1], {}, "sure of the label");
  }
}

TEST(decoupled_kd, is_exact_where_student_and_teacher_agree) {
  batch<float> b(5, 300);
  for (index r = 0; r < 5; ++r) {
    for (index c = 0; c < 300; ++c) b.teacher.set(r, c, b.student.at(r, c));
  }
  EXPECT_EQ(decoupled_kd(b.student.view(), b.teacher.view(), b.labels), 0.0);
  for (index r = 0; r < 5; ++r) b.teacher.set(r, 7, b.student.at(r, 7) + 1e-3);
  expect_reference<decoupled_kd_case>(b, decoupled_kd_case::settings()[1], {}, "nearly equal");
  EXPECT_GT(decoupled_kd(b.student.view(), b.teacher.view(), b.labels), 0.0);
}

TEST(decoupled_kd, lets_a_teacher_be_sure) {
  // All mass on the label: nothing is known of the other classes.
  batch<double> b(3, 20);
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 20; ++c) {
      if (c != b.labels[static_cast<std::size_t>(r)]) b.teacher.set(r, c, minus_infinity);
    }
  }
  expect_reference<decoupled_kd_case>(b, decoupled_kd_case::settings()[0], {}, "one-hot teacher");
  EXPECT_NEAR(decoupled_kd(b.student.view(), b.teacher.view(), b.labels, {.temperature = 1}),
              cross_entropy(b.student.view(), b.labels), 1e-14);
  for (index c = 0; c < 20; ++c) b.teacher.set(1, c, minus_infinity);
  EXPECT_EQ(decoupled_kd(b.student.view(), b.teacher.view(), b.labels).weight, 2.0);
}

TEST(decoupled_kd, takes_every_form_of_a_teacher) {
  batch<double> b(7, 50);
  owned_matrix<double> probability(7, 50, layout::row_major), logarithm(7, 50, layout::row_major);
  for (index r = 0; r < 7; ++r) {
    auto const p = reference::from_logits(b.teacher.row(r), 4.0);
    for (index c = 0; c < 50; ++c) {
      probability.set(r, c, p.probability[static_cast<std::size_t>(c)]);
      logarithm.set(r, c, p.log_probability[static_cast<std::size_t>(c)]);
    }
  }
  auto const z = b.student.view();
  double const expected = decoupled_kd(z, b.teacher.view(), b.labels);
  EXPECT_NEAR(decoupled_kd(z, probabilities(std::as_const(probability).view()), b.labels), expected, 1e-12);
  EXPECT_NEAR(decoupled_kd(z, log_probabilities(std::as_const(logarithm).view()), b.labels), expected, 1e-12);
  EXPECT_NEAR(decoupled_kd(z, log_probabilities(b.teacher.view(), 1), b.labels), expected, 1e-12);
}

TEST(decoupled_kd, is_a_term_beside_cross_entropy) {
  for (index const columns : {8, 130}) {
    batch<double> b(10, columns);
    b.labels[4] = -100;
    auto const z = b.student.view();
    auto const objective =
        fuse(0.5 * cross_entropy.term(b.labels), 2.0 * decoupled_kd.term(b.teacher.view(), b.labels));
    auto const found = objective.with_grad(z, b.gradient.view());
    owned_matrix<double> sum(10, columns, layout::row_major), one(10, columns, layout::row_major);
    double const hard = cross_entropy.with_grad(z, b.labels, sum.view());
    double const soft = decoupled_kd.with_grad(z, b.teacher.view(), b.labels, one.view());
    EXPECT_NEAR(found, 0.5 * hard + 2 * soft, 1e-13);
    for (index r = 0; r < 10; ++r) {
      for (index c = 0; c < columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), 0.5 * sum.at(r, c) + 2 * one.at(r, c), 1e-14);
      }
    }
  }
}

TEST(decoupled_kd, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)decoupled_kd(z, t, b.labels, {.target_weight = -1}); }),
            "distil::decoupled_kd: target_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)decoupled_kd(z, t, b.labels, {.non_target_weight = std::nan("")}); }),
            "distil::decoupled_kd: non_target_weight is nan; it must be finite and >= 0");
  b.labels[1] = 4;
  EXPECT_EQ(refusal_of([&] { (void)decoupled_kd(z, t, b.labels); }),
            "distil::decoupled_kd: label is 4 in row 1; it must be within [0, 4) or the ignored label -100");
  b.labels.pop_back();
  EXPECT_EQ(refusal_of([&] { (void)decoupled_kd(z, t, b.labels); }),
            "distil::decoupled_kd: labels is of size 2; it must be one per row, 3");
}

}  // namespace
}  // namespace distil::testing
