#include "response_suite.hpp"

#include <cmath>

namespace distil::testing {
namespace {

void matches_the_reference_on_every_shape(row_case const& of, element type) {
  for (auto const& [rows, columns] : interesting_shapes(lanes_of(type))) {
    for (auto const& s : of.settings()) {
      any_batch b(element_types::all(type), rows, columns, 4.0, layout::padded);
      expect_reference(of, b, *s, {}, "padded");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

void matches_the_reference_in_every_layout(row_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().back();
  for (auto const& [rows, columns] : {std::pair<index, index>{lanes_of(type) + 3, 7}, {19, 133}}) {
    // The numbers are the same in every layout, and so is what they give.
    batch_truth const exact = truth_of(of, any_batch(types, rows, columns, 4.0, layout::row_major, 7), *s,
                                       row_options{}, limits_of(type).epsilon);
    for (auto const& [of_student, of_teacher, of_gradient] : mixes_of_layouts()) {
      any_batch b(types, rows, columns, 4.0, of_student, of_teacher, of_gradient, 7);
      expect_truth(
          of, b, exact, *s, {},
          std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

void gradient_is_the_central_difference_of_the_reference(row_case const& of, element type) {
  for (auto const& s : of.settings()) {
    any_batch b(element_types::all(type), 2, 5);
    of.with_grad(b, *s, {});
    for (index r = 0; r < b.rows; ++r) {
      auto const teacher = b.teacher.row<long double>(r);
      auto const label = b.labels[static_cast<std::size_t>(r)];
      auto const student = b.student.row<long double>(r);
      auto const difference = reference::gradient(
          [&](exact_row const& moved) { return of.moved_value(student, moved, teacher, label, *s); },
          student);
      double const scale = of.of(student, teacher, label, *s).gradient_scale;
      for (index c = 0; c < b.columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(difference[static_cast<std::size_t>(c)]) / 2,
                    of.traits.bound.gradient * limits_of(type).epsilon * scale + 1e-11)
            << s->label;
      }
    }
  }
}

void reduces_by_weights_and_divisor(row_case const& of, element type) {
  std::vector<double> const weights = {0.5, 0.0, 2.0, 1.0, 0.25, 3.0, 0.0};
  for (row_options const& rows :
       {row_options{.weights = weights}, row_options{.reduce = reduction::sum, .weights = weights},
        row_options{.weights = 0.5}, row_options{.weights = weights, .normalizer = 100.0}}) {
    for (index const columns : {6, 150}) {
      any_batch b(element_types::all(type), 7, columns);
      for (index c = 0; c < columns; ++c) {  // a row of weight 0 is not read
        if (rows.weights[1] == 0) b.student.set(1, c, std::nan("")), b.teacher.set(1, c, std::nan(""));
      }
      if (!of.traits.is_map) expect_reference(of, b, *of.settings().front(), rows, "weighted");
    }
  }
}

void gives_every_row_its_value(row_case const& of, element type) {
  auto const s = of.settings().back();
  any_batch b(element_types::all(type), 9, 40);
  std::vector<double> values(9, -1.0);
  row_options const rows{.weights = 2.0, .values = values};
  (void)of.value(b, *s, rows);
  double const epsilon = limits_of(type).epsilon;
  auto const exact = truth_of(of, b, *s, rows, epsilon);
  for (std::size_t r = 0; r < values.size(); ++r) {
    double const allowed = of.traits.bound.value * epsilon *
                           (static_cast<double>(std::abs(exact.rows[r].value)) + exact.rows[r].value_scale);
    EXPECT_TRUE(close(values[r], exact.rows[r].value, allowed)) << "row " << r;
  }
}

void ignores_labels_and_empty_batches(row_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  if (of.traits.has_labels) {
    any_batch b(types, 21, 11);
    for (std::size_t r : {0U, 3U, 20U}) b.labels[r] = -100;
    expect_reference(of, b, *s, {}, "some ignored");
    b.labels.assign(21, -100);
    expect_reference(of, b, *s, {}, "all ignored");
    EXPECT_EQ(of.value(b, *s, {}).weight, 0.0);
  }
  any_batch nothing(types, 0, 5);
  loss_value const empty = of.with_grad(nothing, *s, {});
  EXPECT_EQ(empty.value, 0.0);
  EXPECT_EQ(empty.weight, 0.0);
}

void masks_classes_and_rows(row_case const& of, element type) {
  row_traits const& traits = of.traits;
  for (index const columns : {5, 200, 1500}) {
    for (auto const& s : of.settings()) {
      any_batch b(element_types::all(type), 6, columns);
      for (index c = 0; c < columns; ++c) {
        bool const masked = c % 3 == 1 || (columns > 1100 && c < 1100);  // a whole block, too
        if (masked) b.student.set(0, c, minus_infinity), b.teacher.set(0, c, minus_infinity);
        if (masked) b.student.set(1, c, minus_infinity);  // the teacher may still want these
        if (masked && !traits.is_map) b.teacher.set(2, c, minus_infinity);
        b.student.set(3, c, minus_infinity);  // fully masked rows
        if (traits.has_teacher && !traits.has_labels && !traits.is_map) b.teacher.set(4, c, minus_infinity);
      }
      if (traits.is_map)
        for (index c = 0; c < columns; ++c) b.teacher.set(0, c, 1.0);
      for (std::size_t r = 0; r < 6; ++r)
        b.labels[r] = static_cast<std::int32_t>(columns - 1 - (columns - 1) % 3);
      if (s->label_smoothing > 0) {  // smoothed mass on a masked class: +inf, in the value and nowhere else
        EXPECT_EQ(of.value(b, *s, {}).value, std::numeric_limits<double>::infinity());
        continue;
      }
      expect_reference(of, b, *s, {}, "masked");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

void keeps_nan_in_its_row(row_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  for (index const columns : {4, 90, 2100}) {
    for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      if (of.traits.infinities_are_logits && std::isinf(poison)) continue;
      any_batch b(types, 20, columns);
      any_batch clean(types, 20, columns);
      b.student.set(7, columns - 1, poison);
      std::vector<double> values(20), clean_values(20);
      EXPECT_TRUE(std::isnan(of.with_grad(b, *s, {.values = values}).value));
      of.with_grad(clean, *s, {.values = clean_values});
      for (index r = 0; r < 20; ++r) {
        auto const at = static_cast<std::size_t>(r);
        if (r == 7) {
          EXPECT_TRUE(std::isnan(values[at]));
          for (index c = 0; c < columns; ++c) EXPECT_TRUE(std::isnan(b.gradient.at(r, c))) << r << " " << c;
        } else {
          EXPECT_EQ(values[at], clean_values[at]);
          for (index c = 0; c < columns; ++c) EXPECT_EQ(b.gradient.at(r, c), clean.gradient.at(r, c));
        }
      }
    }
  }
}

void keeps_its_bounds_at_the_extremes(row_case const& of, element type) {
  for (double const magnitude : {1e-3, 60.0, 1e4}) {
    for (double const temperature : {0.05, 1.0, 100.0}) {
      for (index const columns : {1, 2, 17, 1300}) {
        auto const s = of.settings().front();
        s->temperature = temperature;
        s->label = "T=" + std::to_string(temperature) + ", logits to " + std::to_string(magnitude);
        any_batch b(element_types::all(type), 18, columns, magnitude);
        for (index c = 0; c < columns; ++c) {  // one-hot teachers and students, and equal ones
          b.teacher.set(0, c, c == 0 ? magnitude : -magnitude);
          b.student.set(1, c, c == 0 ? magnitude : -magnitude);
          b.teacher.set(2, c, b.student.at(2, c));
        }
        expect_reference(of, b, *s, {}, "extreme");
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

void allocates_nothing_after_its_first_call(row_case const& of, element type) {
  if (of.traits.call_allocates) return;
  for (auto const& [rows, columns, order] : allocation_shapes) {
    any_batch b(element_types::all(type), rows, columns, 4.0, order);
    auto const count = static_cast<std::size_t>(rows);
    std::vector<double> const weights(count, 0.5);
    std::vector<double> values(count), slopes(of.traits.has_temperature_gradient ? count : 0);
    row_options const options{.weights = weights, .values = values};
    for (auto const& s : of.settings()) {
      expect_no_allocation(s->label, [&] { (void)of.value(b, *s, {}); });
      expect_no_allocation(s->label + ", gradient", [&] { of.with_grad(b, *s, options, true, slopes); });
    }
  }
}

}  // namespace

suite<row_case> const& response_suite() {
  static suite<row_case> const result = {
      "response_suite",
      __FILE__,
      {
          {"allocates_nothing_after_its_first_call", allocates_nothing_after_its_first_call},
          {"matches_the_reference_on_every_shape", matches_the_reference_on_every_shape},
          {"matches_the_reference_in_every_layout", matches_the_reference_in_every_layout},
          {"gradient_is_the_central_difference_of_the_reference",
           gradient_is_the_central_difference_of_the_reference},
          {"reduces_by_weights_and_divisor", reduces_by_weights_and_divisor},
          {"gives_every_row_its_value", gives_every_row_its_value},
          {"ignores_labels_and_empty_batches", ignores_labels_and_empty_batches},
          {"masks_classes_and_rows", masks_classes_and_rows},
          {"keeps_nan_in_its_row", keeps_nan_in_its_row},
          {"keeps_its_bounds_at_the_extremes", keeps_its_bounds_at_the_extremes},
      }};
  return result;
}

}  // namespace distil::testing
