#include "distil/response/normalized_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/normalized_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

row_suites<normalized_kd_case> const suites("normalized_kd");

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

TEST(normalized_kd, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)normalized_kd(z, t, b.labels, {.non_target_weight = -1}); }),
            "distil::normalized_kd: non_target_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
