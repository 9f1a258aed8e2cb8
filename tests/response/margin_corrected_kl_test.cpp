#include "distil/response/margin_corrected_kl.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/margin_corrected_kl.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

row_suites<margin_corrected_kl_case> const suites("margin_corrected_kl");

// The gradient at T = 1 is q - p', one row of it at a time.
TEST(margin_corrected_kl, makes_the_label_lead_by_the_margin) {
  for (double const margin : {0.0, 0.1, 0.7, 1.0}) {
    batch<double> b(40, 6);
    margin_corrected_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                                  {.margin = margin, .rows = {.reduce = reduction::sum}});
    for (index r = 0; r < 40; ++r) {
      auto const q = reference::softmax(b.student.row(r)), p = reference::softmax(b.teacher.row(r));
      auto const y = static_cast<std::size_t>(b.labels[static_cast<std::size_t>(r)]);
      double largest = 0, largest_before = 0, sum = 0;
      std::vector<double> corrected;
      for (std::size_t c = 0; c < 6; ++c) {
        corrected.push_back(q[c] - b.gradient.at(r, static_cast<index>(c)));
        sum += corrected[c];
        if (c != y)
          largest = std::max(largest, corrected[c]), largest_before = std::max(largest_before, p[c]);
      }
      EXPECT_NEAR(sum, 1.0, 1e-14);
      if (p[y] < largest_before) {
        EXPECT_NEAR(corrected[y] - largest, margin, 1e-14);
      } else {
        EXPECT_NEAR(corrected[y], std::min(1.0, p[y] + margin), 1e-14);
      }
    }
  }
}

TEST(margin_corrected_kl, leaves_right_rows_alone_on_request) {
  batch<double> b(30, 50);
  for (index r = 0; r < 30; ++r) b.teacher.set(r, b.labels[static_cast<std::size_t>(r)], 5.0);
  auto const z = b.student.view(), t = b.teacher.view();
  double const plain = forward_kl(z, t, {.temperature = 2});
  EXPECT_NEAR(margin_corrected_kl(z, t, b.labels, {.temperature = 2, .corrects = corrected_rows::wrong_only}),
              plain, 1e-12);
  EXPECT_NEAR(margin_corrected_kl(z, t, b.labels, {.temperature = 2, .margin = 0}), plain, 1e-12);
  EXPECT_GT(std::abs(margin_corrected_kl(z, t, b.labels, {.temperature = 2}) - plain), 1e-3);
}

TEST(margin_corrected_kl, of_margin_1_is_cross_entropy_with_the_label) {
  batch<double> b(30, 50);
  EXPECT_NEAR(margin_corrected_kl(b.student.view(), b.teacher.view(), b.labels, {.margin = 1}),
              cross_entropy(b.student.view(), b.labels), 1e-13);
}

TEST(margin_corrected_kl, of_a_label_the_student_cannot_reach_is_infinite) {
  batch<float> b(1, 9);
  b.student.set(0, b.labels[0], minus_infinity);
  EXPECT_EQ(margin_corrected_kl(b.student.view(), b.teacher.view(), b.labels),
            std::numeric_limits<double>::infinity());
  expect_reference<margin_corrected_kl_case>(b, margin_corrected_kl_case::settings()[0], {}, "masked label");
}

TEST(margin_corrected_kl, does_not_touch_the_teacher) {
  batch<double> b(4, 9), before(4, 9);
  margin_corrected_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view());
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 9; ++c) EXPECT_EQ(b.teacher.at(r, c), before.teacher.at(r, c));
  }
}

TEST(margin_corrected_kl, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)margin_corrected_kl(z, t, b.labels, {.margin = 1.5}); }),
            "distil::margin_corrected_kl: margin is 1.5; it must be within [0, 1]");
}

}  // namespace
}  // namespace distil::testing
