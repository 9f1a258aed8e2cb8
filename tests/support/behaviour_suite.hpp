#pragma once

#include <algorithm>
#include <utility>

#include "response_suite.hpp"
#include "reversing_executor.hpp"

/// How every row-wise loss behaves around its formula: policies, storage types, writing in place and adding,
/// gradients with respect to the temperature, and the laws that hold for all of them.
namespace distil::testing {

template <class Parameter>
class behaviour_suite : public ::testing::Test {};
TYPED_TEST_SUITE_P(behaviour_suite);

TYPED_TEST_P(behaviour_suite, gives_the_same_bits_on_any_number_of_threads) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  struct sizes {
    index rows, columns;
    layout order;
  };
  for (sizes const& size :
       {sizes{3000, 12, layout::row_major}, sizes{90, 700, layout::padded},
        sizes{700, 60, layout::class_major}, sizes{2, 3 * simd::least_part_columns + 5, layout::row_major}}) {
    auto const rows = size.rows, columns = size.columns;
    auto const order = size.order;
    batch<T> b(rows, columns, 4.0, order);
    owned_matrix<T> serially(rows, columns, layout::row_major);
    double const expected = loss::with_grad(serial, b, serially.view(), s, {});
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(r, c), serially.at(r, c)) << who;
      }
    };
    for (int threads = 1; threads <= 4; ++threads) {
      expect_same(loss::with_grad(parallel_policy{threads}, b, b.gradient.view(), s, {}), "parallel");
      reversing_executor executor(threads);
      expect_same(loss::with_grad(run_on(executor), b, b.gradient.view(), s, {}), "own executor");
    }
  }
}

TYPED_TEST_P(behaviour_suite, writes_in_place_and_adds) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  for (layout const order : {layout::row_major, layout::padded, layout::class_major, layout::every_other}) {
    for (index const columns : {9, 77, 1100}) {
      batch<T> b(20, columns, 4.0, order);
      loss::with_grad(serial, b, b.gradient.view(), s, {});
      batch<T> in_place(20, columns, 4.0, order);
      if constexpr (!loss::is_map) {
        loss::with_grad(serial, in_place, in_place.student.view(), s, {});
        for (index r = 0; r < 20; ++r) {
          for (index c = 0; c < columns; ++c)
            ASSERT_EQ(in_place.student.at(r, c), b.gradient.at(r, c)) << name_of(order);
        }
      }
      batch<T> sum(20, columns, 4.0, order);
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < columns; ++c) sum.gradient.set(r, c, 0.5);
      }
      loss::with_grad(serial, sum, sum.gradient.view(), s, {}, true);
      double const allowed = std::numeric_limits<T>::epsilon();
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

template <class Case, class S, class Te, class G>
void expect_storage(std::string const& what) {
  for (auto const& s : Case::settings()) {
    for (layout const order : {layout::padded, layout::class_major}) {
      for (index const columns : {11, 150}) {
        batch<S, Te, G> b(18, columns, 4.0, order);
        expect_reference<Case>(b, s, {}, what);
      }
    }
  }
}

// Readers and writers do not know the loss: every mix is tried with forward_kl, and one with each.
TYPED_TEST_P(behaviour_suite, takes_other_element_types) {
  using loss = typename TypeParam::loss;
  if constexpr (stands_for_other_types<typename TypeParam::type> && !loss::is_map) {
    expect_storage<loss, half, bfloat16, bfloat16>("half, bfloat16, bfloat16");
  }
}

TYPED_TEST_P(behaviour_suite, differentiates_by_the_temperature) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  if constexpr (loss::has_temperature_gradient) {
    double const epsilon = std::numeric_limits<T>::epsilon();
    for (auto const& s : loss::settings()) {
      for (auto const& [columns, magnitude] :
           {std::pair{2, 4.0}, std::pair{30, 4.0}, std::pair{30, 1.5}, std::pair{1500, 1.5}}) {
        batch<T> b(18, columns, magnitude);
        for (index c = 0; c < columns; ++c) b.student.set(4, c, minus_infinity);
        if (columns > 2 && s.label_smoothing == 0.0) {
          b.student.set(5, columns - 1, minus_infinity), b.teacher.set(5, columns - 1, minus_infinity),
              b.labels[5] = 0;
        }
        std::vector<double> const weights(18, 0.5);
        row_options const rows{.weights = weights};
        auto const exact = truth_of<loss>(b, s, rows, epsilon);
        std::vector<double> one(1, 7.0), each(18, 7.0);
        (void)loss::value(serial, b, s, rows, each);
        loss::with_grad(serial, b, b.gradient.view(), s, rows, false, one);
        double sum = 0, size = 0;
        for (std::size_t r = 0; r < 18; ++r) {
          truth const& row = exact.rows[r];
          double const factor = static_cast<double>(exact.factors[r]);
          double const allowed =
              factor * epsilon * allowed_slope<loss>(b, static_cast<index>(r), row, s.temperature);
          long double const expected = factor == 0 ? 0 : exact.factors[r] * row.by_temperature;
          EXPECT_TRUE(close(each[r], expected, allowed + std::numeric_limits<T>::min()))
              << s.label << ", row " << r << " of " << columns;
          sum += each[r];
          size += std::abs(each[r]);
        }
        EXPECT_NEAR(one[0], sum, 1e-12 * (1 + std::abs(sum))) << s.label;
        bool const still = std::all_of(exact.rows.begin(), exact.rows.end(),
                                       [](truth const& row) { return row.by_temperature == 0; });
        EXPECT_TRUE(still || size > 0) << "says nothing: " << s.label << columns;
      }
    }
  }
}

TYPED_TEST_P(behaviour_suite, does_not_care_for_a_constant_or_an_order) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    for (index const columns : {13, 1100}) {
      batch<T> b(3, columns), shifted(3, columns), reversed(3, columns);
      for (index r = 0; r < 3; ++r) {
        reversed.labels[static_cast<std::size_t>(r)] =
            static_cast<std::int32_t>(columns) - 1 - b.labels[static_cast<std::size_t>(r)];
        for (index c = 0; c < columns; ++c) {
          shifted.student.set(r, c, b.student.at(r, c) + 64);  // exact: both are multiples of 2^-18
          if (!loss::is_map) shifted.teacher.set(r, c, b.teacher.at(r, c) - 32);
          reversed.student.set(r, columns - 1 - c, b.student.at(r, c));
          reversed.teacher.set(r, columns - 1 - c, b.teacher.at(r, c));
        }
      }
      double const value = loss::with_grad(serial, b, b.gradient.view(), s, {});
      double const epsilon = std::numeric_limits<T>::epsilon();
      auto const exact = truth_of<loss>(b, s, {}, epsilon);
      double const allowed = 2 * exact.value_error;
      if constexpr (!requires { loss::moves_with_a_constant; }) {
        EXPECT_NEAR(loss::with_grad(serial, shifted, shifted.gradient.view(), s, {}), value,
                    allowed + (std::is_same_v<T, float> ? 1e-4 : 1e-13))
            << s.label;
      }
      EXPECT_NEAR(loss::with_grad(serial, reversed, reversed.gradient.view(), s, {}), value, allowed)
          << s.label;
      for (index r = 0; r < 3; ++r) {
        double const scale =
            exact.rows[static_cast<std::size_t>(r)].gradient_scale * loss::bound.gradient * epsilon;
        double sum = 0;
        for (index c = 0; c < columns; ++c) {
          EXPECT_NEAR(reversed.gradient.at(r, columns - 1 - c), b.gradient.at(r, c), scale) << s.label;
          sum += b.gradient.at(r, c);
        }
        // What does not change with a constant has a gradient that sums to zero.
        if constexpr (!requires { loss::moves_with_a_constant; }) {
          EXPECT_NEAR(sum, 0.0, scale * std::sqrt(static_cast<double>(columns))) << s.label;
        }
      }
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(behaviour_suite, gives_the_same_bits_on_any_number_of_threads,
                            writes_in_place_and_adds, takes_other_element_types,
                            differentiates_by_the_temperature, does_not_care_for_a_constant_or_an_order);

}  // namespace distil::testing
