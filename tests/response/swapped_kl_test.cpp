#include "distil/response/swapped_kl.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/swapped_kl.hpp"

namespace distil::testing {
namespace {

row_suites<swapped_kl_case> const suites("swapped_kl");

TEST(swapped_kl, is_exactly_forward_kl_to_what_was_swapped_by_hand) {
  for (layout const order : {layout::row_major, layout::class_major, layout::every_other}) {
    for (index const columns : {2, 12, 90, 2600}) {
      batch<float> b(20, columns, 4.0, order), by_hand(20, columns, 4.0, order);
      for (index r = 0; r < 20; ++r) {
        auto const row = b.teacher.row(r);
        index const choice = std::max_element(row.begin(), row.end()) - row.begin();
        index const label = b.labels[static_cast<std::size_t>(r)];
        by_hand.teacher.set(r, label, b.teacher.at(r, choice));
        by_hand.teacher.set(r, choice, b.teacher.at(r, label));
      }
      std::vector<double> factors(20), slopes(2);
      for (std::size_t r = 0; r < 20; ++r) factors[r] = static_cast<double>(r % 3);
      swapped_kl_options options{.temperature = 2, .temperature_gradient = std::span(slopes).first(1)};
      for (bool const apart : {false, true}) {
        if (apart) {
          options.teacher_temperature = 3;
          options.factor = factors;
          options.teacher_temperature_gradient = std::span(slopes).subspan(1, 1);
        }
        double const found =
            swapped_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(), options);
        std::vector<double> const by_temperatures = slopes;
        EXPECT_EQ(forward_kl.with_grad(by_hand.student.view(), by_hand.teacher.view(),
                                       by_hand.gradient.view(), options),
                  found);
        EXPECT_EQ(slopes, by_temperatures);
        for (index r = 0; r < 20; ++r) {
          for (index c = 0; c < columns; ++c) EXPECT_EQ(b.gradient.at(r, c), by_hand.gradient.at(r, c));
        }
      }
    }
  }
}

TEST(swapped_kl, does_not_touch_the_teacher) {
  batch<double> b(4, 9), before(4, 9);
  swapped_kl.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view());
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 9; ++c) EXPECT_EQ(b.teacher.at(r, c), before.teacher.at(r, c));
  }
}

TEST(swapped_kl, takes_probabilities) {
  batch<double> b(7, 50);
  owned_matrix<double> probability(7, 50, layout::row_major);
  for (index r = 0; r < 7; ++r) {
    for (index c = 0; c < 50; ++c) {
      probability.set(r, c, reference::softmax(b.teacher.row(r), 3.0)[static_cast<std::size_t>(c)]);
    }
  }
  swapped_kl_options const options{.temperature = 3};
  EXPECT_NEAR(
      swapped_kl(b.student.view(), probabilities(std::as_const(probability).view()), b.labels, options),
      swapped_kl(b.student.view(), b.teacher.view(), b.labels, options), 1e-12);
}

}  // namespace
}  // namespace distil::testing
