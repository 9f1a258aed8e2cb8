#pragma once

#include <cmath>

#include "behaviour_suite.hpp"
#include "distil/response/coupled/batch.hpp"

/// What every loss must do that couples the rows of a batch, whatever it computes. A loss takes it by
/// `INSTANTIATE_TYPED_TEST_SUITE_P(name, batch_suite, in_float_and_double<its case>)`. Its case has
///
///   name, bound, settings()
///   value(policy, batch, setting, rows), with_grad(policy, batch, gradient, setting, rows, accumulate)
///   of(students, teachers, weights, setting)     a coupled_truth; weights are 0 for rows that do not count
///   value_at(moved, students, teachers, weights, setting)   its value where the gradient holds something constant, with
///                                                           what that is of `students`
namespace distil::testing {

using exact_matrix = std::vector<exact_row>;

/// What the reference says of a batch, and the sizes its error bounds are relative to.
struct coupled_truth {
  long double value = 0;
  exact_matrix gradient = {};
  double value_scale = 1;
  std::vector<double> gradient_scale = {};  ///< of each row
};

/// The weights of the rows that count.
template <class Batch>
std::vector<long double> weights_of(Batch const& b, coupled_rows const& rows) {
  std::vector<long double> result;
  for (index r = 0; r < b.rows; ++r) {
    bool const ignored = rows.labels.size() > 0 && rows.labels[r] == rows.ignore_label;
    bool const masked = reference::fully_masked(b.student.template row<long double>(r)) ||
                        reference::fully_masked(b.teacher.template row<long double>(r));
    result.push_back(ignored || masked ? 0.0L : static_cast<long double>(rows.weights[r]));
  }
  return result;
}

template <class Case, class Batch, class Setting>
coupled_truth coupled_truth_of(Batch const& b, Setting const& s, coupled_rows const& rows) {
  exact_matrix students, teachers;
  for (index r = 0; r < b.rows; ++r) {
    students.push_back(b.student.template row<long double>(r));
    teachers.push_back(b.teacher.template row<long double>(r));
  }
  return Case::of(students, teachers, weights_of(b, rows), s);
}

template <class Case, class S, class Te, class G, class Setting>
void expect_coupled(batch<S, Te, G>& b, Setting const& s, coupled_rows const& rows, std::string const& what) {
  using arithmetic = std::common_type_t<arithmetic_t<S>, arithmetic_t<Te>>;
  double const epsilon = std::numeric_limits<arithmetic>::epsilon();
  double const smallest = std::numeric_limits<arithmetic>::min();
  std::string const where =
      what + ", " + s.label + ", " + std::to_string(b.rows) + "x" + std::to_string(b.columns);
  coupled_truth const exact = coupled_truth_of<Case>(b, s, rows);
  loss_value const only = Case::value(serial, b, s, rows);
  loss_value const found = Case::with_grad(serial, b, b.gradient.view(), s, rows);
  EXPECT_EQ(only.value, found.value) << where;
  EXPECT_TRUE(close(found.value, exact.value, Case::bound.value * epsilon * exact.value_scale + smallest))
      << where;
  long double weight = 0;
  for (long double const each : weights_of(b, rows)) weight += each;
  EXPECT_NEAR(found.weight, static_cast<double>(weight), 1e-12 * static_cast<double>(weight)) << where;
  for (index r = 0; r < b.rows; ++r) {
    auto const at = static_cast<std::size_t>(r);
    for (index c = 0; c < b.columns; ++c) {
      bool const masked = b.student.at(r, c) == minus_infinity;
      long double const expected = masked ? 0.0L : exact.gradient[at][static_cast<std::size_t>(c)];
      double const allowed = Case::bound.gradient * epsilon * exact.gradient_scale[at] + smallest +
                             storage_rounding<G>(static_cast<double>(expected));
      ASSERT_TRUE(close(b.gradient.at(r, c), expected, allowed))
          << where << ", gradient of row " << r << ", class " << c;
    }
  }
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << where;
}

/// Losses of pairs of classes take no large vocabularies.
template <class Case>
constexpr index most_columns() {
  if constexpr (requires { Case::most_columns; }) return Case::most_columns;
  return std::numeric_limits<index>::max();
}

template <class Parameter>
class batch_suite : public ::testing::Test {};
TYPED_TEST_SUITE_P(batch_suite);

TYPED_TEST_P(batch_suite, matches_the_reference_on_every_shape) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  index const lanes = simd::lanes<T>::size;
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
    if (columns > most_columns<loss>()) continue;
    for (auto const& s : loss::settings()) {
      batch<T> b(rows, columns, 3.0, layout::padded);
      expect_coupled<loss>(b, s, {}, "padded");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST_P(batch_suite, matches_the_reference_in_every_layout) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  layout const layouts[] = {layout::row_major, layout::padded, layout::class_major, layout::every_other};
  for (layout const of_student : layouts) {
    for (layout const of_teacher : layouts) {
      for (layout const of_gradient : layouts) {
        batch<T> b(19, 33, 3.0, of_student, of_teacher, of_gradient, 7);
        expect_coupled<loss>(
            b, loss::settings().back(), {},
            std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST_P(batch_suite, gradient_is_the_central_difference_of_the_reference) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  std::vector<double> const weights = {1, 0.5, 2};
  for (auto const& s : loss::settings()) {
    batch<T> b(3, 4, 2.0);
    loss::with_grad(serial, b, b.gradient.view(), s, {.weights = weights});
    exact_matrix students, teachers;
    for (index r = 0; r < b.rows; ++r) {
      students.push_back(b.student.template row<long double>(r));
      teachers.push_back(b.teacher.template row<long double>(r));
    }
    std::vector<long double> const exact_weights(weights.begin(), weights.end());
    coupled_truth const exact = loss::of(students, teachers, exact_weights, s);
    for (std::size_t r = 0; r < students.size(); ++r) {
      auto const difference = reference::gradient(
          [&](exact_row const& z) {
            exact_matrix moved = students;
            moved[r] = z;
            if constexpr (requires { loss::value_at(moved, students, teachers, exact_weights, s); }) {
              return loss::value_at(moved, students, teachers, exact_weights, s);
            } else {
              return loss::of(moved, teachers, exact_weights, s).value;
            }
          },
          students[r]);
      for (index c = 0; c < b.columns; ++c) {
        EXPECT_NEAR(
            b.gradient.at(static_cast<index>(r), c),
            static_cast<double>(difference[static_cast<std::size_t>(c)]),
            loss::bound.gradient * std::numeric_limits<T>::epsilon() * exact.gradient_scale[r] + 1e-10)
            << s.label;
      }
    }
  }
}

TYPED_TEST_P(batch_suite, weighs_and_ignores_rows) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  std::vector<double> const weights = {0.5, 0.0, 2.0, 1.0, 0.25, 3.0, 1.0};
  std::vector<int> const labels = {1, 1, 1, -7, 1, 1, 1};
  for (auto const& s : loss::settings()) {
    batch<T> b(7, 23, 3.0);
    for (index c = 0; c < b.columns; ++c) {  // rows that do not count are not read
      b.student.set(1, c, std::nan("")), b.teacher.set(1, c, std::nan(""));
      b.student.set(3, c, std::nan("")), b.teacher.set(3, c, std::nan(""));
    }
    coupled_rows const rows{.weights = weights, .ignore_label = -7, .labels = labels};
    loss_value const found = loss::with_grad(serial, b, b.gradient.view(), s, rows);
    // What is left, without weights of 0.
    batch<T> rest(5, 23);
    std::vector<double> rest_weights;
    for (index r = 0, to = 0; r < 7; ++r) {
      if (r == 1 || r == 3) continue;
      rest_weights.push_back(weights[static_cast<std::size_t>(r)]);
      for (index c = 0; c < b.columns; ++c) {
        rest.student.set(to, c, b.student.at(r, c)), rest.teacher.set(to, c, b.teacher.at(r, c));
      }
      ++to;
    }
    expect_coupled<loss>(rest, s, {.weights = rest_weights}, "weighted");
    double const epsilon = std::numeric_limits<T>::epsilon();
    coupled_truth const exact = coupled_truth_of<loss>(rest, s, {.weights = rest_weights});
    EXPECT_NEAR(found.value, static_cast<double>(exact.value),
                loss::bound.value * epsilon * exact.value_scale);
    EXPECT_EQ(found.weight, 6.75);
    for (index r = 0, from = 0; r < 7; ++r) {
      for (index c = 0; c < b.columns; ++c) {
        if (r == 1 || r == 3) {
          ASSERT_EQ(b.gradient.at(r, c), 0.0);
        } else {
          auto const at = static_cast<std::size_t>(from);
          ASSERT_NEAR(b.gradient.at(r, c),
                      static_cast<double>(exact.gradient[at][static_cast<std::size_t>(c)]),
                      loss::bound.gradient * epsilon * exact.gradient_scale[at]);
        }
      }
      if (r != 1 && r != 3) ++from;
    }
  }
}

TYPED_TEST_P(batch_suite, counts_a_row_of_weight_two_as_two_rows) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    batch<T> b(5, 12, 3.0), twice(6, 12, 3.0);
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 12; ++c) {
        twice.student.set(r, c, b.student.at(r % 5, c)), twice.teacher.set(r, c, b.teacher.at(r % 5, c));
      }
    }
    std::vector<float> const weights = {2, 1, 1, 1, 1};
    double const once = loss::value(serial, b, s, {.weights = weights});
    coupled_truth const exact = coupled_truth_of<loss>(twice, s, {});
    EXPECT_NEAR(once, static_cast<double>(exact.value),
                loss::bound.value * std::numeric_limits<T>::epsilon() * exact.value_scale)
        << s.label;
  }
}

TYPED_TEST_P(batch_suite, counts_nothing_where_nothing_counts) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  batch<T> none(0, 5);
  loss_value const empty = loss::with_grad(serial, none, none.gradient.view(), s, {});
  EXPECT_EQ(empty.value, 0.0);
  EXPECT_EQ(empty.weight, 0.0);
  batch<T> b(4, 5);
  loss_value const ignored = loss::with_grad(serial, b, b.gradient.view(), s, {.weights = 0});
  EXPECT_EQ(ignored.value, 0.0);
  EXPECT_EQ(ignored.weight, 0.0);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 5; ++c) EXPECT_EQ(b.gradient.at(r, c), 0.0);
  }
}

TYPED_TEST_P(batch_suite, masks_classes_and_rows) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    batch<T> b(8, 21, 3.0);
    for (index c = 0; c < 21; ++c) {
      if (c % 3 == 1) b.student.set(0, c, minus_infinity), b.teacher.set(0, c, minus_infinity);
      if (c % 4 == 1) b.student.set(1, c, minus_infinity);
      if (c % 4 == 2) b.teacher.set(2, c, minus_infinity);
      b.student.set(3, c, minus_infinity);
      b.teacher.set(4, c, minus_infinity);
    }
    for (index r = 0; r < 8; ++r) b.student.set(r, 20, minus_infinity), b.teacher.set(r, 20, minus_infinity);
    expect_coupled<loss>(b, s, {}, "masked");
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TYPED_TEST_P(batch_suite, is_nan_with_a_nan_that_counts) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (bool const of_teacher : {false, true}) {
      batch<T> b(6, 40);
      (of_teacher ? b.teacher : b.student).set(2, 39, poison);
      EXPECT_TRUE(
          std::isnan(loss::with_grad(serial, b, b.gradient.view(), loss::settings().front(), {}).value));
      for (index c = 0; c < 40; ++c) EXPECT_TRUE(std::isnan(b.gradient.at(2, c))) << c;
    }
  }
}

TYPED_TEST_P(batch_suite, stays_finite_at_the_extremes) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (double const magnitude : {1e-3, 60.0, 1e4}) {
    for (double const temperature : {0.05, 1.0, 100.0}) {
      for (index const columns : {1, 2, 17, 300}) {
        if (columns > most_columns<loss>()) continue;
        auto s = loss::settings().front();
        s.temperature = temperature;
        batch<T> b(18, columns, magnitude);
        for (index c = 0; c < columns; ++c) {
          b.teacher.set(0, c, c == 0 ? magnitude : -magnitude);
          b.student.set(1, c, c == 0 ? magnitude : -magnitude);
          b.teacher.set(2, c, b.student.at(2, c));
        }
        double const value = loss::with_grad(serial, b, b.gradient.view(), s, {});
        EXPECT_TRUE(std::isfinite(value)) << magnitude << " at " << temperature;
        EXPECT_GE(value, 0.0);
        for (index r = 0; r < 18; ++r) {
          for (index c = 0; c < columns; ++c) {
            ASSERT_TRUE(std::isfinite(b.gradient.at(r, c))) << magnitude << " at " << temperature;
          }
        }
      }
    }
  }
}

TYPED_TEST_P(batch_suite, gives_the_same_bits_on_any_number_of_threads) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  struct sizes {
    index rows, columns;
  };
  for (sizes const& size : {sizes{260, 140}, sizes{70, 700}, sizes{700, 60}}) {
    index const rows = size.rows, columns = size.columns;
    if (columns > most_columns<loss>()) continue;
    batch<T> b(rows, columns, 4.0, layout::padded);
    owned_matrix<T> serially(rows, columns, layout::row_major);
    double const expected = loss::with_grad(serial, b, serially.view(), s, {});
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(r, c), serially.at(r, c)) << who;
      }
    };
    for (int threads = 1; threads <= 3; ++threads) {
      expect_same(loss::with_grad(parallel_policy{threads}, b, b.gradient.view(), s, {}), "parallel");
      reversing_executor executor(threads);
      expect_same(loss::with_grad(run_on(executor), b, b.gradient.view(), s, {}), "own executor");
    }
  }
}

TYPED_TEST_P(batch_suite, writes_in_place_and_adds) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    for (layout const order : {layout::padded, layout::class_major, layout::every_other}) {
      batch<T> b(20, 37, 3.0, order), in_place(20, 37, 3.0, order), sum(20, 37, 3.0, order);
      loss::with_grad(serial, b, b.gradient.view(), s, {});
      loss::with_grad(serial, in_place, in_place.student.view(), s, {});
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < 37; ++c) {
          ASSERT_EQ(in_place.student.at(r, c), b.gradient.at(r, c)) << name_of(order);
          sum.gradient.set(r, c, 0.5);
        }
      }
      loss::with_grad(serial, sum, sum.gradient.view(), s, {}, true);
      double const allowed = std::numeric_limits<T>::epsilon();
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < 37; ++c) {
          ASSERT_NEAR(sum.gradient.at(r, c) - 0.5, b.gradient.at(r, c),
                      allowed * (1 + std::abs(b.gradient.at(r, c))));
        }
      }
      EXPECT_EQ(sum.gradient.damaged_guards(), 0);
    }
  }
}

TYPED_TEST_P(batch_suite, takes_other_element_types) {
  using loss = typename TypeParam::loss;
  if constexpr (stands_for_other_types<typename TypeParam::type>) {
    for (auto const& s : loss::settings()) {
      batch<half, bfloat16, bfloat16> b(18, 33, 3.0, layout::class_major);
      expect_coupled<loss>(b, s, {}, "half, bfloat16, bfloat16");
    }
  }
}

TYPED_TEST_P(batch_suite, allocates_nothing_after_its_first_call) {
  using loss = typename TypeParam::loss;
  if constexpr (!requires { loss::call_allocates; }) {
    for (auto const& [rows, columns, order] : allocation_shapes) {
      if (columns > std::min<index>(most_columns<loss>(), 1000)) continue;
      batch<typename TypeParam::type> b(rows, columns, 4.0, order);
      std::vector<double> const weights(static_cast<std::size_t>(rows), 0.5);
      for (auto const& s : loss::settings()) {
        expect_no_allocation(s.label, [&] { (void)loss::value(serial, b, s, {}); });
        expect_no_allocation(s.label + ", gradient", [&] {
          loss::with_grad(serial, b, b.gradient.view(), s, {.weights = weights}, true);
        });
      }
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(batch_suite, allocates_nothing_after_its_first_call,
                            matches_the_reference_on_every_shape, matches_the_reference_in_every_layout,
                            gradient_is_the_central_difference_of_the_reference, weighs_and_ignores_rows,
                            counts_a_row_of_weight_two_as_two_rows, counts_nothing_where_nothing_counts,
                            masks_classes_and_rows, is_nan_with_a_nan_that_counts,
                            stays_finite_at_the_extremes, gives_the_same_bits_on_any_number_of_threads,
                            writes_in_place_and_adds, takes_other_element_types);

}  // namespace distil::testing
