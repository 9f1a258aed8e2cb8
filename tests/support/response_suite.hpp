#pragma once

#include <cmath>
#include <thread>

#include "allocations.hpp"
#include "element_types.hpp"
#include "expectations.hpp"
#include "finite_difference.hpp"

/// What every row-wise loss must do, whatever it computes. A loss takes it by
/// `INSTANTIATE_TYPED_TEST_SUITE_P(name, response_suite, in_float_and_double<its case>)`.
namespace distil::testing {

template <class Parameter>
class response_suite : public ::testing::Test {};
TYPED_TEST_SUITE_P(response_suite);

TYPED_TEST_P(response_suite, matches_the_reference_on_every_shape) {
  using loss = typename TypeParam::loss;
  for (auto const& [rows, columns] : interesting_shapes<typename TypeParam::type>()) {
    for (auto const& s : loss::settings()) {
      batch<typename TypeParam::type> b(rows, columns, 4.0, layout::padded);
      expect_reference<loss>(b, s, {}, "padded");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST_P(response_suite, matches_the_reference_in_every_layout) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  layout const layouts[] = {layout::row_major, layout::padded, layout::class_major, layout::every_other};
  auto const s = loss::settings().back();
  for (auto const& [rows, columns] : {std::pair<index, index>{simd::lanes<T>::size + 3, 7}, {19, 133}}) {
    // The numbers are the same in every layout, and so is what they give.
    batch_truth const exact =
        truth_of<loss>(batch<T>(rows, columns, 4.0, layout::row_major, 7), s, row_options{},
                       std::numeric_limits<arithmetic_of<loss, T, T>>::epsilon());
    for (layout const of_student : layouts) {
      for (layout const of_teacher : layouts) {
        for (layout const of_gradient : layouts) {
          batch<T> b(rows, columns, 4.0, of_student, of_teacher, of_gradient, 7);
          expect_truth<loss>(
              b, exact, s, {},
              std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST_P(response_suite, gradient_is_the_central_difference_of_the_reference) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    batch<typename TypeParam::type> b(2, 5);
    loss::with_grad(serial, b, b.gradient.view(), s, {});
    for (index r = 0; r < b.rows; ++r) {
      auto const teacher = b.teacher.template row<long double>(r);
      auto const label = b.labels[static_cast<std::size_t>(r)];
      auto const student = b.student.template row<long double>(r);
      auto const value = [&](exact_row const& z) {
        // A case says which value moves where a part of it is a constant for the gradient.
        if constexpr (requires { loss::value_with_constants_of(student, z, teacher, label, s); }) {
          return loss::value_with_constants_of(student, z, teacher, label, s);
        } else {
          return loss::of(z, teacher, label, s).value;
        }
      };
      auto const difference = reference::gradient(value, student);
      double const scale = loss::of(student, teacher, label, s).gradient_scale;
      for (index c = 0; c < b.columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(difference[static_cast<std::size_t>(c)]) / 2,
                    loss::bound.gradient * std::numeric_limits<T>::epsilon() * scale + 1e-11)
            << s.label;
      }
    }
  }
}

TYPED_TEST_P(response_suite, reduces_by_weights_and_divisor) {
  using loss = typename TypeParam::loss;
  std::vector<double> const weights = {0.5, 0.0, 2.0, 1.0, 0.25, 3.0, 0.0};
  for (row_options const& rows :
       {row_options{.weights = weights}, row_options{.reduce = reduction::sum, .weights = weights},
        row_options{.weights = 0.5}, row_options{.weights = weights, .normalizer = 100.0}}) {
    for (index const columns : {6, 150}) {
      batch<typename TypeParam::type> b(7, columns);
      for (index c = 0; c < columns; ++c) {  // a row of weight 0 is not read
        if (rows.weights[1] == 0) b.student.set(1, c, std::nan("")), b.teacher.set(1, c, std::nan(""));
      }
      if constexpr (!loss::is_map) {
        expect_reference<loss>(b, loss::settings().front(), rows, "weighted");
      }
    }
  }
}

TYPED_TEST_P(response_suite, gives_every_row_its_value) {
  using loss = typename TypeParam::loss;
  auto const s = loss::settings().back();
  batch<typename TypeParam::type> b(9, 40);
  std::vector<double> values(9, -1.0);
  row_options const rows{.weights = 2.0, .values = values};
  (void)loss::value(serial, b, s, rows);
  double const epsilon = std::numeric_limits<typename TypeParam::type>::epsilon();
  auto const exact = truth_of<loss>(b, s, rows, epsilon);
  for (std::size_t r = 0; r < values.size(); ++r) {
    double const allowed = loss::bound.value * epsilon *
                           (static_cast<double>(std::abs(exact.rows[r].value)) + exact.rows[r].value_scale);
    EXPECT_TRUE(close(values[r], exact.rows[r].value, allowed)) << "row " << r;
  }
}

TYPED_TEST_P(response_suite, ignores_labels_and_empty_batches) {
  using loss = typename TypeParam::loss;
  auto const s = loss::settings().front();
  if constexpr (loss::has_labels) {
    batch<typename TypeParam::type> b(21, 11);
    for (std::size_t r : {0U, 3U, 20U}) b.labels[r] = -100;
    expect_reference<loss>(b, s, {}, "some ignored");
    b.labels.assign(21, -100);
    expect_reference<loss>(b, s, {}, "all ignored");
    EXPECT_EQ(loss::value(serial, b, s, {}).weight, 0.0);
  }
  batch<typename TypeParam::type> nothing(0, 5);
  loss_value const empty = loss::with_grad(serial, nothing, nothing.gradient.view(), s, {});
  EXPECT_EQ(empty.value, 0.0);
  EXPECT_EQ(empty.weight, 0.0);
}

TYPED_TEST_P(response_suite, masks_classes_and_rows) {
  using loss = typename TypeParam::loss;
  for (index const columns : {5, 200, 1500}) {
    for (auto const& s : loss::settings()) {
      batch<typename TypeParam::type> b(6, columns);
      for (index c = 0; c < columns; ++c) {
        bool const masked = c % 3 == 1 || (columns > 1100 && c < 1100);  // a whole block, too
        if (masked) b.student.set(0, c, minus_infinity), b.teacher.set(0, c, minus_infinity);
        if (masked) b.student.set(1, c, minus_infinity);  // the teacher may still want these
        if (masked && !loss::is_map) b.teacher.set(2, c, minus_infinity);
        b.student.set(3, c, minus_infinity);  // fully masked rows
        if (loss::has_teacher && !loss::has_labels && !loss::is_map) b.teacher.set(4, c, minus_infinity);
      }
      if (loss::is_map)
        for (index c = 0; c < columns; ++c) b.teacher.set(0, c, 1.0);
      for (std::size_t r = 0; r < 6; ++r)
        b.labels[r] = static_cast<std::int32_t>(columns - 1 - (columns - 1) % 3);
      if (s.label_smoothing > 0) {  // smoothed mass on a masked class: +inf, in the value and nowhere else
        EXPECT_EQ(loss::value(serial, b, s, {}).value, std::numeric_limits<double>::infinity());
        continue;
      }
      expect_reference<loss>(b, s, {}, "masked");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST_P(response_suite, keeps_nan_in_its_row) {
  using loss = typename TypeParam::loss;
  auto const s = loss::settings().front();
  for (index const columns : {4, 90, 2100}) {
    for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      batch<typename TypeParam::type> b(20, columns);
      batch<typename TypeParam::type> clean(20, columns);
      b.student.set(7, columns - 1, poison);
      std::vector<double> values(20), clean_values(20);
      EXPECT_TRUE(std::isnan(loss::with_grad(serial, b, b.gradient.view(), s, {.values = values}).value));
      loss::with_grad(serial, clean, clean.gradient.view(), s, {.values = clean_values});
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

TYPED_TEST_P(response_suite, keeps_its_bounds_at_the_extremes) {
  using loss = typename TypeParam::loss;
  for (double const magnitude : {1e-3, 60.0, 1e4}) {
    for (double const temperature : {0.05, 1.0, 100.0}) {
      for (index const columns : {1, 2, 17, 1300}) {
        auto s = loss::settings().front();
        s.temperature = temperature;
        s.label = "T=" + std::to_string(temperature) + ", logits to " + std::to_string(magnitude);
        batch<typename TypeParam::type> b(18, columns, magnitude);
        for (index c = 0; c < columns; ++c) {  // one-hot teachers and students, and equal ones
          b.teacher.set(0, c, c == 0 ? magnitude : -magnitude);
          b.student.set(1, c, c == 0 ? magnitude : -magnitude);
          b.teacher.set(2, c, b.student.at(2, c));
        }
        expect_reference<loss>(b, s, {}, "extreme");
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

/// One row, rows across the lanes, long rows, parts of rows, class-major storage, and strides that fit no register.
struct allocation_shape {
  index rows, columns;
  layout order;
};
inline constexpr allocation_shape allocation_shapes[] = {
    {1, 1, layout::row_major},      {37, 10, layout::padded},
    {64, 1000, layout::row_major},  {3, 2 * simd::least_part_columns + 5, layout::padded},
    {70, 300, layout::class_major}, {5, 130, layout::every_other}};

TYPED_TEST_P(response_suite, allocates_nothing_after_its_first_call) {
  using loss = typename TypeParam::loss;
  if constexpr (!requires { loss::call_allocates; }) {
    for (auto const& [rows, columns, order] : allocation_shapes) {
      batch<typename TypeParam::type> b(rows, columns, 4.0, order);
      auto const count = static_cast<std::size_t>(rows);
      std::vector<double> const weights(count, 0.5);
      std::vector<double> values(count), slopes(count);
      row_options const options{.weights = weights, .values = values};
      for (auto const& s : loss::settings()) {
        expect_no_allocation(s.label, [&] { (void)loss::value(serial, b, s, {}); });
        expect_no_allocation(s.label + ", gradient", [&] {
          if constexpr (loss::has_temperature_gradient) {
            loss::with_grad(serial, b, b.gradient.view(), s, options, true, slopes);
          } else {
            loss::with_grad(serial, b, b.gradient.view(), s, options, true);
          }
        });
      }
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(response_suite, allocates_nothing_after_its_first_call,
                            matches_the_reference_on_every_shape, matches_the_reference_in_every_layout,
                            gradient_is_the_central_difference_of_the_reference,
                            reduces_by_weights_and_divisor, gives_every_row_its_value,
                            ignores_labels_and_empty_batches, masks_classes_and_rows, keeps_nan_in_its_row,
                            keeps_its_bounds_at_the_extremes);

}  // namespace distil::testing
