#include "distil/response/temperature_matching.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/temperature_matching.hpp"
#include "../support/refusal.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<temperature_matching_case> const suites("temperature_matching");

TEST(temperature_matching, is_forward_kl_to_a_softened_teacher) {
  batch<double> b(7, 50);
  owned_matrix<double> softened(7, 50, layout::row_major), plain(7, 50, layout::row_major);
  for (index r = 0; r < 7; ++r) {
    for (index c = 0; c < 50; ++c) {
      softened.set(r, c, reference::softmax(b.teacher.row(r), 4.0)[static_cast<std::size_t>(c)]);
      plain.set(r, c, reference::log_softmax(b.teacher.row(r))[static_cast<std::size_t>(c)]);
    }
  }
  auto const z = b.student.view();
  auto const given = probabilities(std::as_const(softened).view());
  EXPECT_NEAR(temperature_matching(z, b.teacher.view()), forward_kl(z, given), 1e-13);
  for (auto const weight : {matching_weight::one, matching_weight::sum_of_powers}) {
    temperature_matching_options const options{.weight = weight};
    double const expected = temperature_matching(z, b.teacher.view(), options);
    EXPECT_NEAR(temperature_matching(z, given, options), expected, 1e-13);
    EXPECT_NEAR(temperature_matching(z, log_probabilities(std::as_const(plain).view(), 1), options), expected,
                1e-13);
    EXPECT_NEAR(temperature_matching(z, probabilities(std::as_const(softened).view(), 4), options), expected,
                1e-13);
    EXPECT_NEAR(fuse(temperature_matching.term(b.teacher.view(), options))(z), expected, 1e-13);
  }
}

TEST(temperature_matching, takes_a_temperature_for_every_row) {
  for (index const columns : {6, 90}) {
    batch<double> b(19, columns);
    std::vector<double> temperature, values(19);
    for (int r = 0; r < 19; ++r) temperature.push_back(0.5 + 0.25 * r);
    (void)temperature_matching(b.student.view(), b.teacher.view(),
                               {.teacher_temperature = temperature,
                                .weight = matching_weight::sum_of_powers,
                                .rows = {.values = values}});
    for (index r = 0; r < 19; ++r) {
      auto const at = static_cast<std::size_t>(r);
      matching_setting const s{{.temperature = temperature[at]}};
      truth const row =
          temperature_matching_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), 0, s);
      EXPECT_NEAR(values[at], static_cast<double>(row.value), 1e-12 * (1 + values[at]));
    }
  }
}

TEST(temperature_matching, refuses_what_it_cannot_use) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)temperature_matching(z, t, {.teacher_temperature = 0}); }),
            "distil::temperature_matching: teacher_temperature is 0; it must be within [1e-15, 1e15]");
  std::vector<double> const temperatures = {1, -1, 1};
  EXPECT_EQ(
      refusal_of([&] { (void)temperature_matching(z, t, {.teacher_temperature = temperatures}); }),
      "distil::temperature_matching: teacher_temperature is -1 in row 1; it must be within [1e-15, 1e15]");
}

}  // namespace
}  // namespace distil::testing
