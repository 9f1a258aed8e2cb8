#include "batch_suite.hpp"

#include <cmath>

#include "batch_expectations.hpp"

namespace distil::testing {
namespace {

void matches_the_reference_on_every_shape(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  index const lanes = lanes_of(type);
  for (auto const& [rows, columns] : {std::pair<index, index>{1, 1},
                                      {1, 7},
                                      {5, 1},
                                      {2, 2},
                                      {2, 1030},
                                      {lanes + 1, 3},
                                      {9, lanes},
                                      {40, 2 * lanes + 3},
                                      {37, 131},
                                      {150, 11}}) {
    if (columns > of.traits.most_columns) continue;
    for (auto const& s : of.settings()) {
      any_batch b(types, rows, columns, 3.0, layout::padded);
      expect_coupled(of, b, *s, {}, "padded");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

void matches_the_reference_in_every_layout(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& [of_student, of_teacher, of_gradient] : mixes_of_layouts()) {
    any_batch b(types, 19, 33, 3.0, of_student, of_teacher, of_gradient, 7);
    expect_coupled(
        of, b, *of.settings().back(), {},
        std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

void gradient_is_the_central_difference_of_the_reference(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  std::vector<double> const weights = {1, 0.5, 2};
  for (auto const& s : of.settings()) {
    any_batch b(types, 3, 4, 2.0);
    of.with_grad(b, *s, {.weights = weights});
    exact_matrix students, teachers;
    for (index r = 0; r < b.rows; ++r) {
      students.push_back(b.student.row<long double>(r));
      teachers.push_back(b.teacher.row<long double>(r));
    }
    std::vector<long double> const exact_weights(weights.begin(), weights.end());
    coupled_truth const exact = of.of(students, teachers, exact_weights, *s);
    for (std::size_t r = 0; r < students.size(); ++r) {
      auto const difference = reference::gradient(
          [&](exact_row const& z) {
            exact_matrix moved = students;
            moved[r] = z;
            return of.moved_value(moved, students, teachers, exact_weights, *s);
          },
          students[r]);
      for (index c = 0; c < b.columns; ++c) {
        EXPECT_NEAR(b.gradient.at(static_cast<index>(r), c),
                    static_cast<double>(difference[static_cast<std::size_t>(c)]),
                    of.traits.bound.gradient * limits_of(type).epsilon * exact.gradient_scale[r] + 1e-10)
            << s->label;
      }
    }
  }
}

void weighs_and_ignores_rows(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  std::vector<double> const weights = {0.5, 0.0, 2.0, 1.0, 0.25, 3.0, 1.0};
  std::vector<int> const labels = {1, 1, 1, -7, 1, 1, 1};
  for (auto const& s : of.settings()) {
    any_batch b(types, 7, 23, 3.0);
    for (index c = 0; c < b.columns; ++c) {  // rows that do not count are not read
      b.student.set(1, c, std::nan("")), b.teacher.set(1, c, std::nan(""));
      b.student.set(3, c, std::nan("")), b.teacher.set(3, c, std::nan(""));
    }
    coupled_rows const rows{.weights = weights, .ignore_label = -7, .labels = labels};
    loss_value const found = of.with_grad(b, *s, rows);
    // What is left, without weights of 0.
    any_batch rest(types, 5, 23);
    std::vector<double> rest_weights;
    for (index r = 0, to = 0; r < 7; ++r) {
      if (r == 1 || r == 3) continue;
      rest_weights.push_back(weights[static_cast<std::size_t>(r)]);
      for (index c = 0; c < b.columns; ++c) {
        rest.student.set(to, c, b.student.at(r, c)), rest.teacher.set(to, c, b.teacher.at(r, c));
      }
      ++to;
    }
    expect_coupled(of, rest, *s, {.weights = rest_weights}, "weighted");
    double const epsilon = limits_of(type).epsilon;
    coupled_truth const exact = coupled_truth_of(of, rest, *s, {.weights = rest_weights});
    EXPECT_NEAR(found.value, static_cast<double>(exact.value),
                of.traits.bound.value * epsilon * exact.value_scale);
    EXPECT_EQ(found.weight, 6.75);
    for (index r = 0, from = 0; r < 7; ++r) {
      for (index c = 0; c < b.columns; ++c) {
        if (r == 1 || r == 3) {
          ASSERT_EQ(b.gradient.at(r, c), 0.0);
        } else {
          auto const at = static_cast<std::size_t>(from);
          ASSERT_NEAR(b.gradient.at(r, c),
                      static_cast<double>(exact.gradient[at][static_cast<std::size_t>(c)]),
                      of.traits.bound.gradient * epsilon * exact.gradient_scale[at]);
        }
      }
      if (r != 1 && r != 3) ++from;
    }
  }
}

void counts_a_row_of_weight_two_as_two_rows(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& s : of.settings()) {
    any_batch b(types, 5, 12, 3.0), twice(types, 6, 12, 3.0);
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 12; ++c) {
        twice.student.set(r, c, b.student.at(r % 5, c)), twice.teacher.set(r, c, b.teacher.at(r % 5, c));
      }
    }
    std::vector<float> const weights = {2, 1, 1, 1, 1};
    double const once = of.value(b, *s, {.weights = weights});
    coupled_truth const exact = coupled_truth_of(of, twice, *s, {});
    EXPECT_NEAR(once, static_cast<double>(exact.value),
                of.traits.bound.value * limits_of(type).epsilon * exact.value_scale)
        << s->label;
  }
}

void counts_nothing_where_nothing_counts(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  any_batch none(types, 0, 5);
  loss_value const empty = of.with_grad(none, *s, {});
  EXPECT_EQ(empty.value, 0.0);
  EXPECT_EQ(empty.weight, 0.0);
  any_batch b(types, 4, 5);
  loss_value const ignored = of.with_grad(b, *s, {.weights = 0});
  EXPECT_EQ(ignored.value, 0.0);
  EXPECT_EQ(ignored.weight, 0.0);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 5; ++c) EXPECT_EQ(b.gradient.at(r, c), 0.0);
  }
}

void masks_classes_and_rows(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& s : of.settings()) {
    any_batch b(types, 8, 21, 3.0);
    for (index c = 0; c < 21; ++c) {
      if (c % 3 == 1) b.student.set(0, c, minus_infinity), b.teacher.set(0, c, minus_infinity);
      if (c % 4 == 1) b.student.set(1, c, minus_infinity);
      if (c % 4 == 2) b.teacher.set(2, c, minus_infinity);
      b.student.set(3, c, minus_infinity);
      b.teacher.set(4, c, minus_infinity);
    }
    for (index r = 0; r < 8; ++r) b.student.set(r, 20, minus_infinity), b.teacher.set(r, 20, minus_infinity);
    expect_coupled(of, b, *s, {}, "masked");
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace

suite<batch_case> const& batch_suite() {
  static suite<batch_case> const result = [] {
    suite<batch_case> all = {
        "batch_suite",
        __FILE__,
        {
            {"matches_the_reference_on_every_shape", matches_the_reference_on_every_shape},
            {"matches_the_reference_in_every_layout", matches_the_reference_in_every_layout},
            {"gradient_is_the_central_difference_of_the_reference",
             gradient_is_the_central_difference_of_the_reference},
            {"weighs_and_ignores_rows", weighs_and_ignores_rows},
            {"counts_a_row_of_weight_two_as_two_rows", counts_a_row_of_weight_two_as_two_rows},
            {"counts_nothing_where_nothing_counts", counts_nothing_where_nothing_counts},
            {"masks_classes_and_rows", masks_classes_and_rows},
        }};
    for (auto const& test : batch_behaviour()) all.tests.push_back(test);
    return all;
  }();
  return result;
}

}  // namespace distil::testing
