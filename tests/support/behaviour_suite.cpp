#include "behaviour_suite.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

namespace distil::testing {
namespace {

void gives_the_same_bits_on_any_number_of_threads(row_case const& of, element type) {
  auto const s = of.settings().front();
  struct sizes {
    index rows, columns;
    layout order;
  };
  for (sizes const& size :
       {sizes{3000, 12, layout::row_major}, sizes{90, 700, layout::padded},
        sizes{700, 60, layout::class_major}, sizes{2, 3 * simd::least_part_columns + 5, layout::row_major}}) {
    auto const rows = size.rows, columns = size.columns;
    any_batch b(element_types::all(type), rows, columns, 4.0, size.order);
    auto const serially = make_matrix(type, rows, columns);
    double const expected = of.with_grad(detail::any_policy(serial), b, *serially, *s, {});
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(r, c), serially->at(r, c)) << who;
      }
    };
    for (int threads = 1; threads <= 4; ++threads) {
      expect_same(of.with_grad(detail::any_policy(parallel_policy{threads}), b, b.gradient, *s, {}),
                  "parallel");
      reversing_executor executor(threads);
      expect_same(of.with_grad(detail::any_policy(run_on(executor)), b, b.gradient, *s, {}), "own executor");
    }
  }
}

void writes_in_place_and_adds(row_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  for (layout const order : {layout::row_major, layout::padded, layout::class_major, layout::every_other}) {
    for (index const columns : {9, 77, 1100}) {
      any_batch b(types, 20, columns, 4.0, order);
      of.with_grad(b, *s, {});
      any_batch in_place(types, 20, columns, 4.0, order);
      if (!of.traits.is_map) {
        of.with_grad(detail::any_policy(serial), in_place, in_place.student, *s, {});
        for (index r = 0; r < 20; ++r) {
          for (index c = 0; c < columns; ++c)
            ASSERT_EQ(in_place.student.at(r, c), b.gradient.at(r, c)) << name_of(order);
        }
      }
      any_batch sum(types, 20, columns, 4.0, order);
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < columns; ++c) sum.gradient.set(r, c, 0.5);
      }
      of.with_grad(sum, *s, {}, true);
      double const allowed = limits_of(type).epsilon;
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < columns; ++c) {
          ASSERT_NEAR(sum.gradient.at(r, c) - 0.5, b.gradient.at(r, c),
                      allowed * (1 + std::abs(b.gradient.at(r, c))))
              << name_of(order);
        }
      }
      EXPECT_EQ(sum.gradient.damaged_guards(), 0);
    }
  }
}

void takes_other_element_types(row_case const& of, element) {
  element_types const types = mix<half, bfloat16, bfloat16>::types;
  if (of.takes(types)) expect_storage(of, types);
}

void differentiates_by_the_temperature(row_case const& of, element type) {
  if (!of.traits.has_temperature_gradient) return;
  double const epsilon = limits_of(type).epsilon;
  for (auto const& s : of.settings()) {
    for (auto const& [columns, magnitude] :
         {std::pair{2, 4.0}, std::pair{30, 4.0}, std::pair{30, 1.5}, std::pair{1500, 1.5}}) {
      any_batch b(element_types::all(type), 18, columns, magnitude);
      bool const masks = !of.traits.infinities_are_logits;
      for (index c = 0; masks && c < columns; ++c) b.student.set(4, c, minus_infinity);
      if (masks && columns > 2 && s->label_smoothing == 0.0) {
        b.student.set(5, columns - 1, minus_infinity), b.teacher.set(5, columns - 1, minus_infinity),
            b.labels[5] = 0;
      }
      std::vector<double> const weights(18, 0.5);
      row_options const rows{.weights = weights};
      auto const exact = truth_of(of, b, *s, rows, epsilon);
      std::vector<double> one(1, 7.0), each(18, 7.0);
      (void)of.value(b, *s, rows, each);
      of.with_grad(b, *s, rows, false, one);
      expect_slopes(of, b, exact, std::vector<double>(18, s->temperature), each, one[0], s->label);
    }
  }
}

void does_not_care_for_a_constant_or_an_order(row_case const& of, element type) {
  auto const types = element_types::all(type);
  double const epsilon = limits_of(type).epsilon;
  bool const moves = of.traits.moves_with_a_constant;
  for (auto const& s : of.settings()) {
    for (index const columns : {13, 1100}) {
      any_batch b(types, 3, columns), shifted(types, 3, columns), reversed(types, 3, columns);
      for (index r = 0; r < 3; ++r) {
        reversed.labels[static_cast<std::size_t>(r)] =
            static_cast<std::int32_t>(columns) - 1 - b.labels[static_cast<std::size_t>(r)];
        for (index c = 0; c < columns; ++c) {
          shifted.student.set(r, c, b.student.at(r, c) + 64);  // exact: both are multiples of 2^-18
          if (!of.traits.is_map) shifted.teacher.set(r, c, b.teacher.at(r, c) - 32);
          reversed.student.set(r, columns - 1 - c, b.student.at(r, c));
          reversed.teacher.set(r, columns - 1 - c, b.teacher.at(r, c));
        }
      }
      double const value = of.with_grad(b, *s, {});
      auto const exact = truth_of(of, b, *s, {}, epsilon);
      double const allowed = 2 * exact.value_error;
      if (!moves) {
        EXPECT_NEAR(of.with_grad(shifted, *s, {}), value, allowed + (type == element::float32 ? 1e-4 : 1e-13))
            << s->label;
      }
      EXPECT_NEAR(of.with_grad(reversed, *s, {}), value, allowed) << s->label;
      for (index r = 0; r < 3; ++r) {
        double const scale =
            exact.rows[static_cast<std::size_t>(r)].gradient_scale * of.traits.bound.gradient * epsilon;
        double sum = 0;
        for (index c = 0; c < columns; ++c) {
          EXPECT_NEAR(reversed.gradient.at(r, columns - 1 - c), b.gradient.at(r, c), scale) << s->label;
          sum += b.gradient.at(r, c);
        }
        // What does not change with a constant has a gradient that sums to zero.
        if (!moves) {
          EXPECT_NEAR(sum, 0.0, scale * std::sqrt(static_cast<double>(columns))) << s->label;
        }
      }
    }
  }
}

}  // namespace

suite<row_case> const& behaviour_suite() {
  static suite<row_case> const result = {
      "behaviour_suite",
      __FILE__,
      {
          {"gives_the_same_bits_on_any_number_of_threads", gives_the_same_bits_on_any_number_of_threads},
          {"writes_in_place_and_adds", writes_in_place_and_adds},
          {"takes_other_element_types", takes_other_element_types},
          {"differentiates_by_the_temperature", differentiates_by_the_temperature},
          {"does_not_care_for_a_constant_or_an_order", does_not_care_for_a_constant_or_an_order},
      }};
  return result;
}

}  // namespace distil::testing
